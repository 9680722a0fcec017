// Training steps on a GPU, beside cuDNN: 2 layers of 1024, 32 utterances of 100 frames. In float
// without TensorFloat-32 on both sides, unless the name says otherwise.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <torch/cuda.h>
#include <torch/utils.h>

#include <cstdio>
#include <exception>
#include <functional>
#include <string>

#include "admm/options.h"
#include "bench/comparison.h"
#include "bench/steps.h"
#include "compute/blas.h"
#include "models/circulant.h"
#include "models/structured_matrix.h"
#include "train/machine.h"

namespace ernn::bench {

namespace {

constexpr int kSize = 1024;
constexpr int kProjection = 512;
constexpr int64_t kManyUtterances = 128;
constexpr int kFirstSteps = 2;  // in which libraries choose algorithms and memory is taken

void allow_tf32(bool allow) {
  at::globalContext().setAllowTF32CuBLAS(allow);
  at::globalContext().setAllowTF32CuDNN(allow);
}

StepOptions on_gpu() {
  StepOptions options;
  options.device = torch::kCUDA;
  return options;
}

using Make = std::function<std::function<void()>()>;

void time_steps(benchmark::State& state, const std::function<void()>& step) {
  for (int i = 0; i < kFirstSteps; ++i) step();
  for (auto _ : state) step();
}

// What LibTorch or the driver refuse is reported, and the rest goes on.
benchmark::internal::Benchmark* add(const std::string& name, const Make& make, bool tf32 = false) {
  return benchmark::RegisterBenchmark(name.c_str(),
                                      [make, tf32](benchmark::State& state) {
                                        allow_tf32(tf32);
                                        try {
                                          time_steps(state, make());
                                        } catch (const std::exception& error) {
                                          state.SkipWithError(error.what());
                                        }
                                        allow_tf32(false);
                                      })
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

benchmark::internal::Benchmark* add_own(const std::string& name, const ModelOptions& network,
                                        const StepOptions& options = on_gpu(), bool tf32 = false) {
  return add(
      name, [network, options] { return own_step(network, options); }, tf32);
}

ModelOptions gru(GruReset reset, int block) {
  ModelOptions options = network(LayerType::gru, kSize, 0, false, block);
  for (auto& layer : options.layers) layer.reset = reset;
  return options;
}

// The input product of a layer over all frames, forward and backward: in the frequency domain, or
// by the dense matrix.
std::function<void()> input_product(int block, bool spectral) {
  StructuredMatrix matrix(MatrixShape{"input", 4 * kSize, kSize, block});
  matrix->initialise(0.1, at::detail::createCPUGenerator(1));
  matrix->to(torch::kCUDA);
  const StepOptions options = on_gpu();
  const torch::Tensor x =
      torch::randn({options.frames * options.batch, kSize}, torch::kCUDA).requires_grad_();
  return [matrix, x, spectral]() mutable {
    const torch::Tensor y = spectral ? CirculantSpectrum(matrix->weight, 4 * kSize, kSize).matmul(x)
                                     : torch::linear(x, matrix->dense());
    y.sum().backward();
    torch::cuda::synchronize();
  };
}

void add_all() {
  const ModelOptions dense = network(LayerType::lstm, kSize, 0, false, 1);
  const ModelOptions projected = network(LayerType::lstm, kSize, kProjection, true, 1);
  StepOptions plain = on_gpu();
  plain.plain = true;
  StepOptions many = on_gpu();
  many.batch = kManyUtterances;
  StepOptions brain = on_gpu();
  brain.type = torch::kBFloat16;
  StepOptions admm = on_gpu();
  admm.admm = true;
  add("cuDNN LSTM", [] { return torch_lstm_step(kSize, 0, on_gpu()); });
  add("cuDNN LSTM projection", [] { return torch_lstm_step(kSize, kProjection, on_gpu()); });
  add("cuDNN GRU", [] { return torch_gru_step(kSize, on_gpu()); });
  add(
      "cuDNN LSTM TF32", [] { return torch_lstm_step(kSize, 0, on_gpu()); }, true);
  add("cuDNN LSTM bfloat16", [brain] { return torch_lstm_step(kSize, 0, brain); });
  add_own("LSTM dense", dense);
  add_own("LSTM dense projection peepholes", projected);
  add_own("LSTM k=8", network(LayerType::lstm, kSize, 0, false, 8));
  add_own("LSTM k=16", network(LayerType::lstm, kSize, 0, false, 16));
  add_own("GRU dense, reset after", gru(GruReset::after, 1));
  add_own("GRU dense, reset before", gru(GruReset::before, 1));
  add_own("GRU k=8, reset before", gru(GruReset::before, 8));
  add_own("LSTM dense by operators", dense, plain);
  add_own("LSTM dense, 128 utterances", dense, many);
  const int interval = AdmmOptions{}.update_interval;
  add_own("LSTM ADMM", dense, admm)->Iterations(interval);
  add_own("LSTM dense beside ADMM", dense)->Iterations(interval);
  add_own("LSTM dense TF32", dense, on_gpu(), true);
  plain.type = torch::kBFloat16;
  add_own("LSTM dense bfloat16 by operators", dense, plain);
  for (const int block : {8, 16}) {
    add(fmt::format("input product k={}", block), [block] { return input_product(block, true); });
    add(fmt::format("input product k={} by the dense matrix", block),
        [block] { return input_product(block, false); });
  }
}

std::vector<Comparison> comparisons() {
  return {{"LSTM 2x1024 dense", "LSTM dense", "cuDNN LSTM"},
          {"projection 512, peepholes", "LSTM dense projection peepholes", "cuDNN LSTM projection"},
          {"GRU 2x1024 dense, reset after", "GRU dense, reset after", "cuDNN GRU"},
          {"GRU 2x1024 dense, reset before", "GRU dense, reset before", "cuDNN GRU"},
          {"LSTM k=8", "LSTM k=8", "LSTM dense"},
          {"LSTM k=16", "LSTM k=16", "LSTM dense"},
          {"GRU k=8, reset before", "GRU k=8, reset before", "GRU dense, reset before"},
          {"gates in one pass", "LSTM dense", "LSTM dense by operators"},
          {"rate with 128 utterances", "LSTM dense, 128 utterances", "LSTM dense", 0,
           kManyUtterances, static_cast<double>(StepOptions{}.batch)},
          {"ADMM step", "LSTM ADMM", "LSTM dense beside ADMM", 1 / 1.03},
          {"TensorFloat-32", "LSTM dense TF32", "LSTM dense"},
          {"TensorFloat-32 in cuDNN", "cuDNN LSTM TF32", "cuDNN LSTM"},
          {"bfloat16 by operators", "LSTM dense bfloat16 by operators", "LSTM dense by operators"},
          {"bfloat16 in cuDNN", "cuDNN LSTM bfloat16", "cuDNN LSTM"},
          {"input product k=8, by spectra", "input product k=8",
           "input product k=8 by the dense matrix"},
          {"input product k=16, by spectra", "input product k=16",
           "input product k=16 by the dense matrix"}};
}

}  // namespace

}  // namespace ernn::bench

int main(int argc, char** argv) {
  using namespace ernn;
  using namespace ernn::bench;
  restart_with_vector_blas(argv);
  if (!torch::cuda::is_available()) {
    std::puts("LibTorch finds no GPU: nothing to measure");
    return 0;
  }
  set_threads(1);
  add_all();
  return run(argc, argv, comparisons());
}
