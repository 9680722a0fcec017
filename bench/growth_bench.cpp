// How the time of a training step grows with the size of the layers, the length of the sequences,
// the batch and the number of threads.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>

#include "bench/comparison.h"
#include "bench/steps.h"
#include "compute/blas.h"
#include "train/machine.h"

namespace ernn::bench {

namespace {

struct Point {
  int size = 1024;
  int block = 8;
  int64_t frames = 50;
  int64_t batch = 16;
  int threads = 1;
};

std::string name_of(const Point& p) {
  return fmt::format("size {} k {} frames {} batch {} threads {}", p.size, p.block, p.frames,
                     p.batch, p.threads);
}

void step(benchmark::State& state, const Point& p) {
  set_threads(p.threads);
  const Data data(p.frames, p.batch);
  AcousticModel model(network(LayerType::lstm, p.size, 0, false, p.block));
  model->initialise(1);
  for (auto _ : state) {
    model->zero_grad();
    data.loss(model->forward(data.features, data.lengths)).backward();
  }
  set_threads(1);
}

/// Registers what is not registered yet and adds it to the curve.
class Registry {
 public:
  void add(Curve& curve, double x, const Point& point, double work) {
    const std::string name = name_of(point);
    curve.x.push_back(x);
    curve.benchmarks.push_back(name);
    curve.work.push_back(work);
    if (std::find(names_.begin(), names_.end(), name) != names_.end()) return;
    names_.push_back(name);
    benchmark::RegisterBenchmark(name.c_str(),
                                 [point](benchmark::State& state) { step(state, point); })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  }

 private:
  std::vector<std::string> names_;
};

double work_of(const Point& p) {
  return dense_operations(network(LayerType::lstm, p.size, 0, false, 1), p.frames * p.batch);
}

std::vector<Growth> make_growth() {
  Registry registry;
  Growth sizes{"growth-size", "Training step against layer size", "cells in a layer", {}};
  Growth frames{"growth-frames", "Training step against length", "frames", {}};
  Growth batches{"growth-batch", "Training step against batch", "utterances in a batch", {}};
  Growth threads{"growth-threads",
                 "Training step against threads (1 is twice as fast with two)",
                 "threads",
                 {}};
  for (const int block : {1, 8, 16}) {
    const std::string name = block == 1 ? "dense" : fmt::format("k = {}", block);
    Curve by_size{name, {}, {}, {}};
    Curve by_frames{name, {}, {}, {}};
    Curve by_batch{name, {}, {}, {}};
    Curve by_threads{name, {}, {}, {}};
    for (const int size : {256, 512, 1024, 2048}) {
      const Point p{size, block};
      registry.add(by_size, size, p, work_of(p));
    }
    for (const int64_t count : {25, 50, 100}) {
      const Point p{1024, block, count};
      registry.add(by_frames, static_cast<double>(count), p, work_of(p));
    }
    for (const int64_t count : {4, 8, 16, 32}) {
      const Point p{1024, block, 50, count};
      registry.add(by_batch, static_cast<double>(count), p, work_of(p));
    }
    for (const int count : {1, 2}) {
      const Point p{1024, block, 50, 16, count};
      registry.add(by_threads, count, p, work_of(p) / count);
    }
    sizes.curves.push_back(by_size);
    frames.curves.push_back(by_frames);
    batches.curves.push_back(by_batch);
    threads.curves.push_back(by_threads);
  }
  return {sizes, frames, batches, threads};
}

}  // namespace

}  // namespace ernn::bench

int main(int argc, char** argv) {
  ernn::restart_with_vector_blas(argv);
  ernn::set_threads(1);
  ernn::keep_freed_memory();
  return ernn::bench::run(argc, argv, {}, ernn::bench::make_growth());
}
