// Steps of the gates in a build with CUDA.
#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

#include "compute/gates.h"

namespace ernn::compute {

namespace {

constexpr unsigned kThreads = 128;  // of a block: few, since a frame of a batch fills few blocks

template <class Step>
__global__ void each_element(Step step, std::int64_t count) {
  const std::int64_t n = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (n < count) step(n);
}

}  // namespace

bool has_gpu_steps() {
  return true;
}

template <class Step>
void run_step(Place place, const Step& step, std::int64_t count) {
  if (place == Place::host) {
    for (std::int64_t n = 0; n < count; ++n) step(n);
    return;
  }
  if (count == 0) return;
  each_element<<<static_cast<unsigned>((count + kThreads - 1) / kThreads), kThreads>>>(step, count);
  const cudaError_t error = cudaGetLastError();
  if (error != cudaSuccess)
    throw std::runtime_error(std::string("a step of the gates: ") + cudaGetErrorString(error));
}

}  // namespace ernn::compute

#include "compute/gates_instances.h"
