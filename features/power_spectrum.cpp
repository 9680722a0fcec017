#include "features/power_spectrum.h"

#include <fftw3.h>

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <new>
#include <vector>

namespace ernn {

namespace {

/// FFTW's planner keeps global state; executing a plan does not.
std::mutex& planner_mutex() {
  static std::mutex mutex;
  return mutex;
}

struct FftwFree {
  void operator()(void* memory) const { fftw_free(memory); }
};

}  // namespace

class PowerSpectrum::Workspace {
 public:
  explicit Workspace(int size)
      : input(fftw_alloc_real(static_cast<std::size_t>(size))),
        output(fftw_alloc_complex(static_cast<std::size_t>(size) / 2 + 1)),
        power(static_cast<std::size_t>(size) / 2 + 1) {
    if (!input || !output) throw std::bad_alloc();
    std::fill_n(input.get(), size, 0.0);
  }

  std::unique_ptr<double, FftwFree> input;
  std::unique_ptr<fftw_complex, FftwFree> output;
  std::vector<double> power;
};

struct PowerSpectrum::Plan {
  explicit Plan(int points) : size(points) {
    Workspace scratch(size);
    const std::lock_guard<std::mutex> lock(planner_mutex());
    // ESTIMATE chooses without timing, so that results repeat from run to run.
    plan = fftw_plan_dft_r2c_1d(size, scratch.input.get(), scratch.output.get(),
                                FFTW_ESTIMATE | FFTW_PRESERVE_INPUT);
    if (plan == nullptr) throw std::bad_alloc();
  }
  ~Plan() {
    const std::lock_guard<std::mutex> lock(planner_mutex());
    fftw_destroy_plan(plan);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  int size;
  fftw_plan plan = nullptr;
};

void PowerSpectrum::WorkspaceDeleter::operator()(Workspace* workspace) const {
  delete workspace;
}

PowerSpectrum::PowerSpectrum(int size) : plan_(std::make_shared<const Plan>(size)) {}

int PowerSpectrum::size() const {
  return plan_->size;
}

std::unique_ptr<PowerSpectrum::Workspace, PowerSpectrum::WorkspaceDeleter>
PowerSpectrum::make_workspace() const {
  return std::unique_ptr<Workspace, WorkspaceDeleter>(new Workspace(plan_->size));
}

double* PowerSpectrum::input(Workspace& workspace) const {
  return workspace.input.get();
}

const double* PowerSpectrum::compute(Workspace& workspace) const {
  fftw_execute_dft_r2c(plan_->plan, workspace.input.get(), workspace.output.get());
  const fftw_complex* spectrum = workspace.output.get();
  for (std::size_t i = 0; i < workspace.power.size(); ++i) {
    workspace.power[i] = spectrum[i][0] * spectrum[i][0] + spectrum[i][1] * spectrum[i][1];
  }
  return workspace.power.data();
}

}  // namespace ernn
