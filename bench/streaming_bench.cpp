// One frame of one stream through 2 layers of 1024, one thread: the runtime in float and in fixed
// point beside the same dense network in LibTorch.
#include <benchmark/benchmark.h>
#include <torch/nn.h>
#include <torch/utils.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "bench/comparison.h"
#include "bench/steps.h"
#include "compute/blas.h"
#include "runtime/engine.h"
#include "train/machine.h"

namespace ernn::bench {

namespace {

constexpr int kSize = 1024;
constexpr int kProjection = 512;
constexpr int kFrames = 200;
constexpr int kPasses = 3;

/// Frames through `step`; the time of an iteration is that of the frame `place` of kFrames when
/// they are sorted by time.
void time_frames(benchmark::State& state, int place, const std::function<void(int)>& step) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> seconds(kFrames);
  for (int t = 0; t < kFrames; ++t) step(t);
  for (auto _ : state) {
    for (int t = 0; t < kFrames; ++t) {
      const Clock::time_point start = Clock::now();
      step(t);
      seconds[static_cast<std::size_t>(t)] =
          std::chrono::duration<double>(Clock::now() - start).count();
    }
    std::sort(seconds.begin(), seconds.end());
    state.SetIterationTime(seconds[static_cast<std::size_t>(place)]);
  }
}

constexpr int kMedian = kFrames / 2;
constexpr int kWorst = kFrames - 1;

void run_engine(benchmark::State& state, const std::shared_ptr<const Engine>& engine, int place) {
  const FrameMatrix frames = random_features(kFrames);
  Stream stream(engine);
  time_frames(state, place, [&](int t) {
    benchmark::DoNotOptimize(stream.step(frames.row(t), static_cast<std::size_t>(kInputs)));
  });
}

void run_torch_lstm(benchmark::State& state) {
  const torch::NoGradGuard no_gradient;
  torch::nn::LSTM layers(
      torch::nn::LSTMOptions(kInputs, kSize).num_layers(2).proj_size(kProjection));
  torch::nn::Linear output(kProjection, kClasses);
  const torch::Tensor frames = torch::randn({kFrames, 1, 1, kInputs});
  std::tuple<torch::Tensor, torch::Tensor> memory = {torch::zeros({2, 1, kProjection}),
                                                     torch::zeros({2, 1, kSize})};
  time_frames(state, kMedian, [&](int t) {
    torch::Tensor hidden;
    std::tie(hidden, memory) = layers->forward(frames[t], memory);
    benchmark::DoNotOptimize(torch::log_softmax(output->forward(hidden), -1));
  });
}

void run_torch_gru(benchmark::State& state) {
  const torch::NoGradGuard no_gradient;
  torch::nn::GRU layers(torch::nn::GRUOptions(kInputs, kSize).num_layers(2));
  torch::nn::Linear output(kSize, kClasses);
  const torch::Tensor frames = torch::randn({kFrames, 1, 1, kInputs});
  torch::Tensor memory = torch::zeros({2, 1, kSize});
  time_frames(state, kMedian, [&](int t) {
    torch::Tensor hidden;
    std::tie(hidden, memory) = layers->forward(frames[t], memory);
    benchmark::DoNotOptimize(torch::log_softmax(output->forward(hidden), -1));
  });
}

void add(const std::string& name, const std::function<void(benchmark::State&)>& function) {
  benchmark::RegisterBenchmark(name.c_str(), function)
      ->Unit(benchmark::kMicrosecond)
      ->Iterations(kPasses)
      ->UseManualTime();
}

/// "<name> float" and "<name> fixed": the median frame, and the worst with " worst" behind.
void add_engines(const std::string& name, const ModelOptions& options) {
  const ModelFile model = made_up_model(options);
  const auto add_engine = [&](const std::string& kind,
                              const std::shared_ptr<const Engine>& engine) {
    add(name + kind, [engine](benchmark::State& state) { run_engine(state, engine, kMedian); });
    add(name + kind + " worst",
        [engine](benchmark::State& state) { run_engine(state, engine, kWorst); });
  };
  add_engine(" float", Engine::from_model(model));
  add_engine(" fixed", Engine::from_network(quantise(model), "{}"));
}

}  // namespace

}  // namespace ernn::bench

int main(int argc, char** argv) {
  using namespace ernn;
  using namespace ernn::bench;
  restart_with_vector_blas(argv);
  set_threads(1);
  add("torch LSTM", run_torch_lstm);
  add("torch GRU", run_torch_gru);
  add_engines("LSTM k=16", network(LayerType::lstm, kSize, kProjection, false, 16));
  add_engines("LSTM k=8", network(LayerType::lstm, kSize, kProjection, false, 8));
  add_engines("GRU k=16", network(LayerType::gru, kSize, 0, false, 16));
  constexpr double kDense = 30;           // times the dense network
  constexpr double kWorstFrame = 1. / 3;  // of the median
  return run(
      argc, argv,
      {{"frame, LSTM 2x1024/512 k=16, float", "LSTM k=16 float", "torch LSTM", kDense},
       {"frame, LSTM 2x1024/512 k=16, fixed", "LSTM k=16 fixed", "torch LSTM", kDense},
       {"frame, LSTM 2x1024/512 k=8, float", "LSTM k=8 float", "torch LSTM"},
       {"frame, LSTM 2x1024/512 k=8, fixed", "LSTM k=8 fixed", "torch LSTM"},
       {"frame, GRU 2x1024 k=16, float", "GRU k=16 float", "torch GRU"},
       {"frame, GRU 2x1024 k=16, fixed", "GRU k=16 fixed", "torch GRU"},
       {"frame, k=16, fixed beside float", "LSTM k=16 fixed", "LSTM k=16 float", 1},
       {"frame, k=8, fixed beside float", "LSTM k=8 fixed", "LSTM k=8 float", 1},
       {"worst frame, k=16, float", "LSTM k=16 float worst", "LSTM k=16 float", kWorstFrame},
       {"worst frame, k=16, fixed", "LSTM k=16 fixed worst", "LSTM k=16 fixed", kWorstFrame}});
}
