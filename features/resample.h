// Speech read faster or slower.
#pragma once

#include <vector>

namespace ernn {

/// Reads the signal `factor` times as fast: pitch and formants rise by `factor`, the length shrinks
/// by it (output sample i is the input at time i * factor). Windowed-sinc interpolation, 32 zero
/// crossings a side; the band ends (6 dB down) at the lower of the two Nyquist frequencies.
std::vector<float> resample(const std::vector<float>& samples, double factor);

}  // namespace ernn
