// What a group of processes needs of a communication library; free of LibTorch's headers.
#pragma once

#include <memory>

#include "train/process_group.h"

namespace ernn {

class Collectives {
 public:
  Collectives() = default;
  virtual ~Collectives() = default;
  Collectives(const Collectives&) = delete;
  Collectives& operator=(const Collectives&) = delete;

  /// As ProcessGroup's.
  virtual void sum(at::Tensor& values) = 0;
  virtual void wait_for_all() = 0;
};

/// Connects the processes of a group. Defined once for LibTorch with Gloo (collectives_gloo.cpp)
/// and once for LibTorch without (collectives_none.cpp).
std::unique_ptr<Collectives> connect(const ProcessPlace& place, const DistributedOptions& options);

}  // namespace ernn
