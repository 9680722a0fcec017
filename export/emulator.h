// docs/arithmetic.md in plain integers: what the kernel has to compute, bit by bit.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "export/quantised_network.h"

namespace ernn {

/// How often the limit acted on a signal since construction.
struct SaturationCount {
  std::string signal;
  std::int64_t count = 0;
  std::int64_t values = 0;  ///< values narrowed, limited or not
};

/// Runs a quantised network frame by frame, with the state kept between frames.
class Emulator {
 public:
  using Codes = std::vector<std::int32_t>;
  /// Called with each traced signal (docs/arithmetic.md) and its codes in this frame.
  using Trace = std::function<void(const std::string& signal, const Codes& codes)>;

  /// Throws UsageError naming the sum when an accumulator of the network could need more than 63
  /// bits.
  explicit Emulator(const QuantisedNetwork& network);
  ~Emulator();
  Emulator(Emulator&&) noexcept;
  Emulator& operator=(Emulator&&) noexcept;

  /// Back to the state before the first frame; saturation counters go on.
  void reset();
  void trace(Trace sink);
  /// One frame of codes in input_format() [inputs] to logits in logit_format() [outputs]. Throws
  /// DataError for another length or a code outside the format.
  Codes step(const Codes& frame);
  /// One entry for every traced signal that is narrowed, in network order.
  std::vector<SaturationCount> saturations() const;

 private:
  class Layer;
  std::vector<std::unique_ptr<Layer>> layers_;
  Format input_format_;
  int inputs_ = 0;
  Trace trace_;
};

}  // namespace ernn
