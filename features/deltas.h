// Time derivatives of features.
#pragma once

#include <vector>

#include "base/frame_matrix.h"

namespace ernn {

/// Filter taps of the derivative of `order` over 2 * order * window + 1 frames. Order 2 is the
/// order-1 filter convolved with itself.
std::vector<double> delta_kernel(int order, int window);

/// Kaldi's add-deltas: [x, d, dd, ...], every order computed from the statics with its own kernel;
/// frames before the first and behind the last repeat those.
FrameMatrix add_deltas(const FrameMatrix& statics, int order, int window);

}  // namespace ernn
