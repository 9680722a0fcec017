// The deployed data flow in double precision: what the emulator approaches as widths grow.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "export/float_network.h"

namespace ernn {

/// Evaluates a network frame by frame, with the state kept between frames.
class Reference {
 public:
  /// Called with each traced signal (docs/arithmetic.md) and its values in this frame.
  using Observer =
      std::function<void(const std::string& signal, const std::vector<double>& values)>;

  explicit Reference(const FloatNetwork& network);
  ~Reference();
  Reference(Reference&&) noexcept;
  Reference& operator=(Reference&&) noexcept;

  /// Back to the state before the first frame.
  void reset();
  void observe(Observer observer);
  /// One normalised frame [inputs] to logits [outputs].
  std::vector<double> step(const std::vector<double>& frame);

 private:
  class Layer;
  std::vector<std::unique_ptr<Layer>> layers_;
  Observer observer_;
};

}  // namespace ernn
