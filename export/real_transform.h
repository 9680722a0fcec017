// Spectra of real blocks in double precision, packed as in docs/arithmetic.md (FFTW3).
#pragma once

#include <memory>

namespace ernn {

/// rfft and unscaled irfft of one block size k (2, 4, ..., 64), packed
/// `[Re0, Re(k/2), Re1, Im1, ...]`. One object serves one thread.
class RealTransform {
 public:
  explicit RealTransform(int k);
  ~RealTransform();
  RealTransform(RealTransform&&) noexcept;
  RealTransform& operator=(RealTransform&&) noexcept;

  /// `values` [k] to `packed` [k].
  void forward(const double* values, double* packed);
  /// `packed` [k] to `values` [k], k times the inverse of forward().
  void inverse(const double* packed, double* values);

 private:
  struct Plans;
  std::unique_ptr<Plans> plans_;
};

}  // namespace ernn
