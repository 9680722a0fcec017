// |FFT|^2 of real frames, by FFTW.
#pragma once

#include <memory>

namespace ernn {

/// A transform of fixed size. Objects may be created and used from several threads; `compute` uses
/// a Workspace that belongs to one thread at a time.
class PowerSpectrum {
 public:
  class Workspace;
  struct WorkspaceDeleter {
    void operator()(Workspace* workspace) const;
  };

  /// `size` points, a power of two.
  explicit PowerSpectrum(int size);

  int size() const;
  std::unique_ptr<Workspace, WorkspaceDeleter> make_workspace() const;
  /// The input of the workspace: `size` values, zero at first, kept by compute().
  double* input(Workspace& workspace) const;
  /// |X[i]|^2 for i = 0 ... size / 2, valid until the next call.
  const double* compute(Workspace& workspace) const;

 private:
  struct Plan;
  std::shared_ptr<const Plan> plan_;
};

}  // namespace ernn
