#include "admm/fixed_point_grid.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "models/circulant.h"

namespace ernn {

FixedPointGridSet::FixedPointGridSet(int width, int integer) : width_(width), integer_(integer) {
  if (width < 2 || width > 24)
    throw UsageError(fmt::format("a grid of {} bits, expected 2 to 24", width));
}

torch::Tensor FixedPointGridSet::project(const torch::Tensor& w) const {
  // In F64, so that what is on the grid stays there to the last bit of F32.
  const torch::Tensor values = w.detach().to(torch::kDouble);
  if (w.dim() == 2) return rounded(values).to(w.scalar_type());
  const auto k = static_cast<double>(w.size(2));
  return packed_irfft(rounded(packed_rfft(values) / k) * k).to(w.scalar_type());
}

torch::Tensor FixedPointGridSet::rounded(const torch::Tensor& values) const {
  const double scale = std::ldexp(1.0, width_ - integer_);
  const double limit = std::ldexp(1.0, width_ - 1) - 1;
  return torch::floor(values * scale + 0.5).clamp(-limit, limit) / scale;
}

std::string FixedPointGridSet::text() const {
  return fmt::format("fixed point <{},{}>", width_, integer_);
}

}  // namespace ernn
