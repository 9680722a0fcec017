// Steps of the gates in a build without CUDA.
#include <stdexcept>

#include "compute/gates.h"

namespace ernn::compute {

bool has_gpu_steps() {
  return false;
}

template <class Step>
void run_step(Place place, const Step& step, std::int64_t count) {
  if (place == Place::gpu)
    throw std::runtime_error("this build has no CUDA steps; build it with CUDA's compiler");
  for (std::int64_t n = 0; n < count; ++n) step(n);
}

}  // namespace ernn::compute

#include "compute/gates_instances.h"
