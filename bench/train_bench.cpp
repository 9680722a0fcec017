// One training step: forward, cross-entropy, backward, SGD. 2 layers of 1024, 32 utterances of 100
// frames, one thread. Steps of ADMM are timed by as many as lie between two updates of Z and U, so
// that each has its share of one.
#include <benchmark/benchmark.h>
#include <torch/utils.h>

#include <cstdint>

#include "admm/options.h"
#include "bench/comparison.h"
#include "bench/steps.h"
#include "compute/blas.h"
#include "compute/structured_product.h"
#include "train/machine.h"

namespace ernn::bench {

namespace {

constexpr int kSize = 1024;
constexpr int kProjection = 512;
constexpr int64_t kGemm = 2048;

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
  const torch::Tensor x = torch::randn({StepOptions{}.batch, kSize});
  torch::Tensor y = torch::empty({StepOptions{}.batch, 4 * kSize});
  using Product = compute::StructuredProduct<float>;
  const Product product(best_isa(), {4 * kSize, kSize, 1}, Product::Side::forward,
                        weight.data_ptr<float>());
  compute::ProductScratch<float> scratch;
  for (auto _ : state) {
    if (packed) {
      product.multiply({x.data_ptr<float>(), kSize}, x.size(0), {},
                       {y.data_ptr<float>(), 4 * kSize}, scratch);
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

// Times steps, which are made when their benchmark begins.
template <class Make>
benchmark::internal::Benchmark* add_step(const std::string& name, Make make) {
  return add(name, [make](benchmark::State& state) {
    const auto step = make();
    for (auto _ : state) step();
  });
}

benchmark::internal::Benchmark* add_own(const std::string& name, const ModelOptions& options,
                                        bool admm = false) {
  StepOptions step;
  step.admm = admm;
  return add_step(name, [options, step] { return own_step(options, step); });
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
  add_step("torch LSTM", [] { return torch_lstm_step(kSize, 0); });
  add_step("torch LSTM projection", [] { return torch_lstm_step(kSize, kProjection); });
  add_step("torch GRU", [] { return torch_gru_step(kSize); });
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
               dense_operations(dense, StepOptions{}.frames * StepOptions{}.batch), gemm_work},
              {"train step, projection 512, peepholes", "LSTM dense projection peepholes",
               "torch LSTM projection", 2.5},
              {"train step, LSTM k=8", "LSTM k=8", "LSTM dense", 4},
              {"train step, LSTM k=16", "LSTM k=16", "LSTM dense", 8},
              {"ADMM step (1 / 1.03 or more)", "LSTM ADMM", "LSTM dense beside ADMM", 1 / 1.03},
              {"recurrent product, 32 rows", "recurrent product", "recurrent product BLAS"},
              {"train step, GRU 2x1024 dense", "GRU dense", "torch GRU"},
              {"train step, GRU k=8", "GRU k=8", "GRU dense"}});
}
