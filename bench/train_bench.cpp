// One training step: forward, cross-entropy, backward, SGD. 2 layers of 1024, 32 utterances of 100
// frames, one thread. Steps of ADMM are timed by as many as lie between two updates of Z and U, so
// that each has its share of one.
#include <benchmark/benchmark.h>
#include <torch/nn.h>
#include <torch/optim.h>
#include <torch/utils.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "admm/solver.h"
#include "bench/comparison.h"
#include "bench/steps.h"
#include "compute/blas.h"
#include "compute/structured_product.h"
#include "train/machine.h"

namespace ernn::bench {

namespace {

constexpr int kSize = 1024;
constexpr int kProjection = 512;
constexpr int64_t kBatch = 32;
constexpr int64_t kFrames = 100;
constexpr int64_t kGemm = 2048;

void own_step(benchmark::State& state, const ModelOptions& options, bool admm) {
  const Data data(kFrames, kBatch);
  AcousticModel model(options);
  model->initialise(1);
  torch::optim::SGD optimiser(model->parameters(), kRate);
  std::unique_ptr<AdmmSolver> solver;
  if (admm) {
    std::vector<ConstrainedMatrix> matrices;
    for (const auto& matrix : model->matrices())
      matrices.push_back(
          {matrix.shape.name, matrix.weight, std::make_shared<BlockCirculantSet>(8)});
    AdmmOptions admm_options;
    admm_options.schedule = RhoSchedule::constant;
    solver = std::make_unique<AdmmSolver>(matrices, admm_options);
  }
  for (auto _ : state) {
    optimiser.zero_grad();
    data.loss(model->forward(data.features, data.lengths)).backward();
    if (solver) solver->add_penalty_gradients();
    optimiser.step();
    if (solver) solver->after_step(kRate);
  }
}

// The same network of LibTorch's own layers, whose output has `width` numbers.
template <class Layers, class Options>
void torch_step(benchmark::State& state, const Options& options, int width) {
  const Data data(kFrames, kBatch);
  Layers layers(options);
  torch::nn::Linear output(width, kClasses);
  auto parameters = layers->parameters();
  for (const auto& parameter : output->parameters()) parameters.push_back(parameter);
  torch::optim::SGD optimiser(parameters, kRate);
  for (auto _ : state) {
    optimiser.zero_grad();
    data.loss(output->forward(std::get<0>(layers->forward(data.features)))).backward();
    optimiser.step();
  }
}

void torch_gru_step(benchmark::State& state) {
  torch_step<torch::nn::GRU>(state, torch::nn::GRUOptions(kInputs, kSize).num_layers(2), kSize);
}

void torch_lstm_step(benchmark::State& state, int projection) {
  torch_step<torch::nn::LSTM>(
      state, torch::nn::LSTMOptions(kInputs, kSize).num_layers(2).proj_size(projection),
      projection > 0 ? projection : kSize);
}

void sgemm(benchmark::State& state) {
  const torch::NoGradGuard no_gradient;
  const torch::Tensor a = torch::randn({kGemm, kGemm});
  torch::Tensor c = torch::empty({kGemm, kGemm});
  for (auto _ : state) at::mm_out(c, a, a);
}

// One frame's product with the recurrent matrix, W [4096, 1024]: packed once, or by BLAS.
void recurrent_product(benchmark::State& state, bool packed) {
  const torch::NoGradGuard no_gradient;
  const torch::Tensor weight = torch::randn({4 * kSize, kSize});
  const torch::Tensor x = torch::randn({kBatch, kSize});
  torch::Tensor y = torch::empty({kBatch, 4 * kSize});
  using Product = compute::StructuredProduct<float>;
  const Product product(best_isa(), {4 * kSize, kSize, 1}, Product::Side::forward,
                        weight.data_ptr<float>());
  compute::ProductScratch<float> scratch;
  for (auto _ : state) {
    if (packed) {
      product.multiply({x.data_ptr<float>(), kSize}, kBatch, {}, {y.data_ptr<float>(), 4 * kSize},
                       scratch);
    } else {
      at::mm_out(y, x, weight.t());
    }
  }
}

template <class Function>
benchmark::internal::Benchmark* add(const std::string& name, Function function) {
  return benchmark::RegisterBenchmark(name.c_str(), function)
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

benchmark::internal::Benchmark* add_own(const std::string& name, const ModelOptions& options,
                                        bool admm = false) {
  return add(name, [options, admm](benchmark::State& state) { own_step(state, options, admm); });
}

}  // namespace

}  // namespace ernn::bench

int main(int argc, char** argv) {
  using namespace ernn;
  using namespace ernn::bench;
  restart_with_vector_blas(argv);
  set_threads(1);
  keep_freed_memory();
  const ModelOptions dense = network(LayerType::lstm, kSize, 0, false, 1);
  add("torch LSTM", [](benchmark::State& state) { torch_lstm_step(state, 0); });
  add("torch LSTM projection",
      [](benchmark::State& state) { torch_lstm_step(state, kProjection); });
  add("torch GRU", torch_gru_step);
  add("sgemm 2048", sgemm);
  add("recurrent product", [](benchmark::State& state) { recurrent_product(state, true); });
  add("recurrent product BLAS", [](benchmark::State& state) { recurrent_product(state, false); });
  add_own("LSTM dense", dense);
  add_own("LSTM dense projection peepholes", network(LayerType::lstm, kSize, kProjection, true, 1));
  add_own("LSTM k=8", network(LayerType::lstm, kSize, 0, false, 8));
  add_own("LSTM k=16", network(LayerType::lstm, kSize, 0, false, 16));
  const std::int64_t update_interval = AdmmOptions{}.update_interval;
  add_own("LSTM ADMM", dense, true)->Iterations(update_interval);
  add_own("LSTM dense beside ADMM", dense)->Iterations(update_interval);
  add_own("GRU dense", network(LayerType::gru, kSize, 0, false, 1));
  add_own("GRU k=8", network(LayerType::gru, kSize, 0, false, 8));
  const double gemm_work = 2.0 * kGemm * kGemm * kGemm;
  return run(argc, argv,
             {{"train step, LSTM 2x1024 dense", "LSTM dense", "torch LSTM", 2.5},
              {"rate of the dense step", "LSTM dense", "sgemm 2048", 0.7,
               dense_operations(dense, kFrames * kBatch), gemm_work},
              {"train step, projection 512, peepholes", "LSTM dense projection peepholes",
               "torch LSTM projection", 2.5},
              {"train step, LSTM k=8", "LSTM k=8", "LSTM dense", 4},
              {"train step, LSTM k=16", "LSTM k=16", "LSTM dense", 8},
              {"ADMM step (1 / 1.03 or more)", "LSTM ADMM", "LSTM dense beside ADMM", 1 / 1.03},
              {"recurrent product, 32 rows", "recurrent product", "recurrent product BLAS"},
              {"train step, GRU 2x1024 dense", "GRU dense", "torch GRU"},
              {"train step, GRU k=8", "GRU k=8", "GRU dense"}});
}
