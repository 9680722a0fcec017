#include "models/acoustic_model.h"

#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/utils.h>

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/options.h"
#include "models/model_file.h"
#include "models/torch_tensors.h"

namespace ernn {

using torch::Tensor;

AcousticModelImpl::AcousticModelImpl(ModelOptions options) : options_(std::move(options)) {
  validate(options_);
  const auto shapes = matrix_shapes(options_);
  torch::nn::ModuleList list;
  auto next = shapes.begin();
  for (std::size_t i = 0; i < options_.layers.size(); ++i) {
    const std::string prefix = fmt::format("layers.{}.", i);
    std::vector<MatrixShape> own;
    while (next->name.compare(0, prefix.size(), prefix) == 0) own.push_back(*next++);
    layers_.push_back(make_layer(options_.layers[i], own));
    list->push_back(layers_.back());
  }
  register_module("layers", list);
  output_ =
      register_module("output", std::make_shared<FeedforwardLayer>(LayerOptions{}, shapes.back()));
}

namespace {

// Utterances that have frame t, for lengths sorted downwards; nothing for lengths that are not, or
// when all are the same.
std::vector<int64_t> running_utterances(const Tensor& lengths, int64_t frames) {
  const Tensor sizes = lengths.to(torch::kCPU, torch::kLong).contiguous();
  const int64_t* const begin = sizes.data_ptr<int64_t>();
  const int64_t* const end = begin + sizes.numel();
  if (!std::is_sorted(begin, end, std::greater<>()) || *(end - 1) >= frames) return {};
  std::vector<int64_t> running;
  for (int64_t t = 0; t < frames; ++t)
    running.push_back(std::count_if(begin, end, [t](int64_t length) { return length > t; }));
  return running;
}

}  // namespace

Tensor AcousticModelImpl::forward(const Tensor& features, const Tensor& lengths,
                                  ModelState* state) const {
  TORCH_CHECK(features.dim() == 3 && features.size(1) > 0 && lengths.dim() == 1 &&
                  lengths.size(0) == features.size(1),
              "features must be [frames, batch, inputs] of one utterance at least with its length "
              "in [batch], not ",
              features.sizes(), " and ", lengths.sizes());
  if (state != nullptr) state->layers.resize(layers_.size());
  const Tensor frame = torch::arange(features.size(0), features.device()).unsqueeze(1);
  const Tensor padding = frame >= lengths.to(features.device()).unsqueeze(0);
  Tensor x = features.masked_fill(padding.unsqueeze(2), 0);
  const std::vector<int64_t> running = running_utterances(lengths, features.size(0));
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (i > 0) x = torch::dropout(x, options_.dropout, is_training());
    LayerState* const own = state == nullptr ? nullptr : &state->layers[i];
    x = arithmetic_ ? arithmetic_->layer(i, x, own) : layers_[i]->forward(x, running, own);
  }
  if (!layers_.empty()) x = torch::dropout(x, options_.dropout, is_training());
  if (!arithmetic_) return output_->forward(x);
  return arithmetic_->layer(layers_.size(), x, nullptr).to(features.scalar_type());
}

torch::Device AcousticModelImpl::device() const {
  return output_->parameters().front().device();
}

void AcousticModelImpl::set_plain(bool plain) {
  for (auto& layer : layers_) layer->set_plain(plain);
  output_->set_plain(plain);
}

void AcousticModelImpl::set_arithmetic(std::shared_ptr<const Arithmetic> arithmetic) {
  arithmetic_ = std::move(arithmetic);
}

void AcousticModelImpl::initialise(std::uint64_t seed) {
  const at::Generator generator = at::detail::createCPUGenerator(seed);
  for (auto& layer : layers_) layer->initialise(generator);
  output_->initialise(generator);
}

std::vector<NamedMatrix> AcousticModelImpl::matrices() const {
  std::vector<NamedMatrix> result;
  const auto add = [&result](const Layer& layer) {
    for (const auto& matrix : layer.matrices())
      result.push_back({matrix->shape(), matrix->weight, matrix});
  };
  for (const auto& layer : layers_) add(*layer);
  add(*output_);
  return result;
}

TensorFile AcousticModelImpl::to_tensor_file(const std::string& context_json) const {
  TensorFile file;
  file.metadata[kModelKey] = write_options(options_).to_json().dump();
  file.metadata[kContextKey] = context_json;
  for (const auto& parameter : named_parameters())
    file.tensors[parameter.key()] = to_raw(parameter.value().to(torch::kFloat));
  return file;
}

void AcousticModelImpl::load_tensors(const TensorFile& file, const std::string& path) {
  const auto parameters = named_parameters();
  std::vector<std::pair<Tensor, Tensor>> copies;
  for (const auto& parameter : parameters) {
    const RawTensor& raw = file.get(parameter.key(), parameter.value().sizes().vec(), path);
    const std::string what = fmt::format("{}: tensor '{}'", path, parameter.key());
    if (raw.dtype != "F32")
      throw DataError(fmt::format("{} has type {}, expected F32", what, raw.dtype));
    copies.emplace_back(parameter.value(), from_raw(raw, what));
  }
  for (const auto& entry : file.tensors) {
    if (parameters.contains(entry.first)) continue;
    throw DataError(fmt::format("{}: tensor '{}' is not part of this model", path, entry.first));
  }
  const torch::NoGradGuard no_gradient;
  for (auto& [parameter, value] : copies) parameter.copy_(value);
}

namespace {

// Every value of a configuration by its dotted path.
void flatten(const ConfigNode& node, const std::string& path,
             std::map<std::string, std::string>& values) {
  for (const auto& [key, child] : node.entries())
    flatten(child, fmt::format("{}.{}", path, key), values);
  for (std::size_t i = 0; i < node.items().size(); ++i)
    flatten(node.items()[i], fmt::format("{}.{}", path, i), values);
  if (node.kind() == ConfigNode::Kind::scalar) values[path] = node.text();
}

void check_same_but_blocks(const ModelOptions& from, const ModelOptions& to) {
  if (from.layers.size() != to.layers.size()) {
    throw UsageError(fmt::format("model.layers: {} layers cannot be converted to {}",
                                 from.layers.size(), to.layers.size()));
  }
  std::map<std::string, std::string> before;
  std::map<std::string, std::string> after;
  flatten(write_options(with_blocks(from, {}, 1)), "model", before);
  flatten(write_options(with_blocks(to, {}, 1)), "model", after);
  // A longer list on either side has paths that the other does not have.
  const auto value_in = [](const std::map<std::string, std::string>& values,
                           const std::string& path) {
    const auto found = values.find(path);
    return found == values.end() ? "nothing" : found->second;
  };
  std::map<std::string, std::string> all = before;
  all.insert(after.begin(), after.end());
  for (const auto& entry : all) {
    const std::string& path = entry.first;
    const std::string in_model = value_in(before, path);
    const std::string here = value_in(after, path);
    if (in_model == here) continue;
    throw UsageError(
        fmt::format("{}: only block sizes can be converted, found {} in the model and {} here",
                    path, in_model, here));
  }
}

}  // namespace

AcousticModel convert_blocks(const AcousticModel& model, const ModelOptions& options) {
  check_same_but_blocks(model->options(), options);
  const torch::NoGradGuard no_gradient;
  AcousticModel result(options);
  result->to(model->parameters().front().device(), model->parameters().front().scalar_type());
  const auto from = model->matrices();
  auto to = result->matrices();
  std::map<std::string, bool> is_matrix;
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (from[i].shape.block == to[i].shape.block) {
      to[i].weight.copy_(from[i].weight);
    } else {
      to[i].matrix->assign(from[i].matrix->dense());
    }
    is_matrix[to[i].shape.name + ".weight"] = true;
  }
  const auto source = model->named_parameters();
  for (auto& parameter : result->named_parameters()) {
    if (is_matrix.count(parameter.key()) == 0) parameter.value().copy_(source[parameter.key()]);
  }
  result->train(model->is_training());
  return result;
}

}  // namespace ernn
