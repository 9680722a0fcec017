// For a LibTorch without Gloo, or without its headers.
#include <fmt/format.h>

#include "train/collectives.h"

namespace ernn {

std::unique_ptr<Collectives> connect(const ProcessPlace& place,
                                     const DistributedOptions& /*options*/) {
  throw UsageError(fmt::format(
      "WORLD_SIZE: found {}, but this ernn was built without Gloo: install libgloo-dev and build "
      "it again, or train with one process",
      place.world_size));
}

}  // namespace ernn
