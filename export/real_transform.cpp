#include "export/real_transform.h"

#include <fftw3.h>

#include <algorithm>
#include <cstddef>

namespace ernn {

// FFTW_ESTIMATE: the plan, and so the last bit of the result, never depends on timing.
struct RealTransform::Plans {
  explicit Plans(int k)
      : size(k),
        values(fftw_alloc_real(static_cast<std::size_t>(k))),
        bins(fftw_alloc_complex(static_cast<std::size_t>(k) / 2 + 1)),
        forward(fftw_plan_dft_r2c_1d(k, values, bins, FFTW_ESTIMATE)),
        inverse(fftw_plan_dft_c2r_1d(k, bins, values, FFTW_ESTIMATE)) {}
  ~Plans() {
    fftw_destroy_plan(inverse);
    fftw_destroy_plan(forward);
    fftw_free(bins);
    fftw_free(values);
  }
  Plans(const Plans&) = delete;
  Plans& operator=(const Plans&) = delete;

  int size;
  double* values;
  fftw_complex* bins;
  fftw_plan forward;
  fftw_plan inverse;
};

RealTransform::RealTransform(int k) : plans_(std::make_unique<Plans>(k)) {}
RealTransform::~RealTransform() = default;
RealTransform::RealTransform(RealTransform&&) noexcept = default;
RealTransform& RealTransform::operator=(RealTransform&&) noexcept = default;

void RealTransform::forward(const double* values, double* packed) {
  const int k = plans_->size;
  std::copy_n(values, k, plans_->values);
  fftw_execute(plans_->forward);
  packed[0] = plans_->bins[0][0];
  packed[1] = plans_->bins[k / 2][0];
  for (int b = 1; b < k / 2; ++b) {
    packed[2 * b] = plans_->bins[b][0];
    packed[2 * b + 1] = plans_->bins[b][1];
  }
}

void RealTransform::inverse(const double* packed, double* values) {
  const int k = plans_->size;
  plans_->bins[0][0] = packed[0];
  plans_->bins[0][1] = 0;
  plans_->bins[k / 2][0] = packed[1];
  plans_->bins[k / 2][1] = 0;
  for (int b = 1; b < k / 2; ++b) {
    plans_->bins[b][0] = packed[2 * b];
    plans_->bins[b][1] = packed[2 * b + 1];
  }
  fftw_execute(plans_->inverse);
  std::copy_n(plans_->values, k, values);
}

}  // namespace ernn
