// C simulation of the HLS kernel beside the audio it listens to: 2 layers of 1024 cells, k = 8.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "bench/comparison.h"
#include "bench/steps.h"
#include "compute/blas.h"
#include "export/artefact_writer.h"
#include "tests/support/temporary_folder.h"
#include "train/kernel_program.h"

namespace ernn::bench {

namespace {

constexpr int kSize = 1024;
constexpr int kFrames = 100;
constexpr double kFrameSeconds = 0.01;

struct Kernel {
  QuantisedNetwork network;
  KernelProgram program;
  CodeFrames frames;
};

std::shared_ptr<Kernel> build(const std::filesystem::path& folder) {
  QuantisedNetwork quantised =
      quantise(made_up_model(network(LayerType::lstm, kSize, 0, false, 8)));
  Artefact artefact;
  artefact.network = quantised;
  const CodeFrames frames = random_frames(quantised, kFrames, 1);
  make_folder(folder / "work");
  write_artefact(artefact, make_golden(quantised, frames, 1, 2), folder / "artefact");
  return std::make_shared<Kernel>(
      Kernel{quantised, KernelProgram(folder / "artefact", folder / "work", "g++"), frames});
}

void simulate(benchmark::State& state, const Kernel& kernel) {
  for (auto _ : state)
    benchmark::DoNotOptimize(kernel.program.run({kernel.frames}, kernel.network));
}

void audio(benchmark::State& state) {
  for (auto _ : state) state.SetIterationTime(kFrames * kFrameSeconds);
}

}  // namespace

}  // namespace ernn::bench

int main(int argc, char** argv) {
  using namespace ernn;
  using namespace ernn::bench;
  restart_with_vector_blas(argv);
  try {
    const TemporaryFolder folder;
    const auto kernel = build(folder.path());
    benchmark::RegisterBenchmark("kernel C simulation",
                                 [kernel](benchmark::State& state) { simulate(state, *kernel); })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
    benchmark::RegisterBenchmark("its audio", audio)
        ->Unit(benchmark::kMillisecond)
        ->Iterations(1)
        ->UseManualTime();
    return run(argc, argv,
               {{"kernel simulation, LSTM 2x1024 k=8", "kernel C simulation", "its audio", 1}});
  } catch (const Error& error) {
    fmt::print(stderr, "{}: {}\n", argv[0], error.what());
    return error.exit_status();
  }
}
