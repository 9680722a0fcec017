#include "runtime/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "export/accumulators.h"
#include "export/artefact.h"
#include "export/float_network.h"
#include "runtime/fixed_program.h"
#include "runtime/float_program.h"
#include "runtime/kernels/choose.h"

namespace ernn {

struct Engine::Impl {
  Isa isa = Isa::portable;
  int inputs = 0, outputs = 0;
  std::string context, place;
  int label_delay = 0;
  std::vector<double> mean, inverse_std;

  bool fixed_point = false;
  Program<float> floats;
  Program<std::int32_t> codes;
  Format input_format, logit_format;

  /// Takes what is needed out of the context.
  void read_context() {
    using Json = nlohmann::json;
    try {
      const Json json = Json::parse(context);
      mean = json.value("mean", std::vector<double>());
      inverse_std = json.value("inverse_std", std::vector<double>());
      label_delay = json.value("label_delay", 0);
    } catch (const Json::exception& error) {
      throw DataError(fmt::format("{}: broken context: {}", place, error.what()));
    }
    const auto width = static_cast<std::size_t>(inputs);
    if (mean.empty() && inverse_std.empty()) {
      mean.assign(width, 0.0);
      inverse_std.assign(width, 1.0);
    }
    if (mean.size() != width || inverse_std.size() != width) {
      throw DataError(
          fmt::format("{}: the context normalises {} and {} dimensions, but the network takes {}",
                      place, mean.size(), inverse_std.size(), width));
    }
    if (label_delay < 0)
      throw DataError(fmt::format("{}: label_delay is {}, expected 0 or more", place, label_delay));
  }

  /// As Normalisation::apply() (features/normalisation.h) rounds it.
  float normalise(float value, std::size_t i) const {
    return static_cast<float>((value - mean[i]) * inverse_std[i]);
  }
};

namespace {

/// Networks that come from no file are named so in messages.
constexpr const char* kInMemory = "network in memory";

Isa chosen(const EngineOptions& options) {
  return options.isa ? *options.isa : best_isa();
}

}  // namespace

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;

std::unique_ptr<Engine::Impl> Engine::fixed_impl(const QuantisedNetwork& network,
                                                 const std::string& context,
                                                 const std::string& place,
                                                 const EngineOptions& options) {
  check_accumulators(network);
  auto impl = std::make_unique<Impl>();
  impl->isa = chosen(options);
  impl->inputs = network.inputs();
  impl->outputs = network.outputs();
  impl->context = context;
  impl->place = place;
  impl->read_context();
  impl->fixed_point = true;
  impl->input_format = network.input_format();
  impl->logit_format = network.logit_format();
  impl->codes = make_fixed_program(network, kernels_for(impl->isa));
  return impl;
}

std::unique_ptr<Engine::Impl> Engine::float_impl(const ModelFile& model, const std::string& place,
                                                 const EngineOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->isa = chosen(options);
  impl->inputs = model.options.inputs;
  impl->outputs = model.options.outputs;
  impl->context = model.context.empty() ? "{}" : model.context;
  impl->place = place;
  impl->read_context();
  impl->floats = make_float_program(FloatNetwork::from_model(model), kernels_for(impl->isa));
  return impl;
}

std::shared_ptr<const Engine> Engine::load_artefact(const std::filesystem::path& folder,
                                                    const EngineOptions& options) {
  const Artefact artefact = ernn::load_artefact(folder);
  return std::make_shared<Engine>(
      fixed_impl(artefact.network, artefact.context, (folder / "manifest.json").string(), options));
}

std::shared_ptr<const Engine> Engine::load_model(const std::filesystem::path& file,
                                                 const EngineOptions& options) {
  return std::make_shared<Engine>(float_impl(ModelFile::load(file), file.string(), options));
}

std::shared_ptr<const Engine> Engine::from_network(const QuantisedNetwork& network,
                                                   const std::string& context,
                                                   const EngineOptions& options) {
  return std::make_shared<Engine>(fixed_impl(network, context, kInMemory, options));
}

std::shared_ptr<const Engine> Engine::from_model(const ModelFile& model,
                                                 const EngineOptions& options) {
  return std::make_shared<Engine>(float_impl(model, kInMemory, options));
}

int Engine::inputs() const {
  return impl_->inputs;
}
int Engine::outputs() const {
  return impl_->outputs;
}
bool Engine::fixed_point() const {
  return impl_->fixed_point;
}
Isa Engine::isa() const {
  return impl_->isa;
}
int Engine::label_delay() const {
  return impl_->label_delay;
}
const std::string& Engine::context() const {
  return impl_->context;
}
const std::string& Engine::place() const {
  return impl_->place;
}

struct Stream::Impl {
  explicit Impl(std::shared_ptr<const Engine> shared)
      : engine(std::move(shared)),
        network(*engine->impl_),
        floats(network.fixed_point ? 0 : network.floats.size()),
        codes(network.fixed_point ? network.codes.size() : 0),
        logits(static_cast<std::size_t>(network.outputs)),
        posteriors(logits.size()) {}

  void check_count(std::size_t count) const {
    if (count == static_cast<std::size_t>(network.inputs)) return;
    throw DataError(
        fmt::format("frame {}: found {} features, expected {}", frame, count, network.inputs));
  }

  void run() {
    if (network.fixed_point) {
      network.codes.run(codes.data());
      const double unit = std::ldexp(1.0, -network.logit_format.fraction());
      const std::int32_t* const found = codes.data() + network.codes.output.at;
      for (std::size_t i = 0; i < logits.size(); ++i)
        logits[i] = static_cast<float>(found[i] * unit);
    } else {
      network.floats.run(floats.data());
      std::copy_n(floats.data() + network.floats.output.at, logits.size(), logits.begin());
    }
    ++frame;
  }

  /// In the steps of log_softmax() (train/decoder.h), so that decoders see the same numbers.
  void normalise_logits() {
    double largest = logits.front();
    for (const float logit : logits) largest = std::max(largest, static_cast<double>(logit));
    double sum = 0;
    for (const float logit : logits) sum += std::exp(logit - largest);
    const double norm = largest + std::log(sum);
    for (std::size_t i = 0; i < logits.size(); ++i)
      posteriors[i] = static_cast<float>(logits[i] - norm);
  }

  std::shared_ptr<const Engine> engine;
  const Engine::Impl& network;
  AlignedArray<float> floats;
  AlignedArray<std::int32_t> codes;
  std::vector<float> logits, posteriors;
  long long frame = 0;
};

Stream::Stream(std::shared_ptr<const Engine> engine)
    : impl_(std::make_unique<Impl>(std::move(engine))) {}
Stream::~Stream() = default;
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;

void Stream::reset() {
  impl_->floats.clear();
  impl_->codes.clear();
  std::fill(impl_->logits.begin(), impl_->logits.end(), 0.0F);
  std::fill(impl_->posteriors.begin(), impl_->posteriors.end(), 0.0F);
  impl_->frame = 0;
}

const float* Stream::step(const float* features, std::size_t count) {
  Impl& self = *impl_;
  self.check_count(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (std::isfinite(features[i])) continue;
    throw DataError(fmt::format("frame {}: feature {} is {}, expected a finite number", self.frame,
                                i, std::isnan(features[i]) ? "NaN" : "infinite"));
  }
  if (self.network.fixed_point) {
    std::int32_t* const input = self.codes.data() + self.network.codes.input.at;
    std::int64_t saturations = 0;
    for (std::size_t i = 0; i < count; ++i) {
      input[i] = static_cast<std::int32_t>(
          quantise(self.network.normalise(features[i], i), self.network.input_format, saturations));
    }
  } else {
    float* const input = self.floats.data() + self.network.floats.input.at;
    for (std::size_t i = 0; i < count; ++i) input[i] = self.network.normalise(features[i], i);
  }
  self.run();
  self.normalise_logits();
  return self.posteriors.data();
}

const float* Stream::logits() const {
  return impl_->logits.data();
}

const std::int32_t* Stream::step_codes(const std::int32_t* codes, std::size_t count) {
  Impl& self = *impl_;
  const std::int32_t* const result = logit_codes();
  self.check_count(count);
  const Format& format = self.network.input_format;
  for (std::size_t i = 0; i < count; ++i) {
    if (codes[i] >= format.smallest() && codes[i] <= format.largest()) continue;
    throw DataError(fmt::format("frame {}: input code {} is {}, which does not fit its format {}",
                                self.frame, i, codes[i], format.text()));
  }
  std::copy_n(codes, count, self.codes.data() + self.network.codes.input.at);
  self.run();
  return result;
}

const std::int32_t* Stream::logit_codes() const {
  if (!impl_->network.fixed_point)
    throw UsageError("this engine computes in floating point and has no codes");
  return impl_->codes.data() + impl_->network.codes.output.at;
}

}  // namespace ernn
