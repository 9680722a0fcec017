#include "train/qat_stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/error.h"
#include "export/float_network.h"
#include "export/profile.h"
#include "export/quantise.h"
#include "features/splits.h"
#include "train/fixed_point_network.h"

namespace ernn {

namespace {

/// At most `limit` normalised utterances evenly spread, 0 = all.
std::vector<FrameMatrix> spread(const UtteranceSet& train, int limit) {
  std::vector<FrameMatrix> frames;
  for (const std::size_t place : spread_places(train.size(), limit))
    frames.push_back(train.read(place).features);
  return frames;
}

}  // namespace

FloatNetwork float_network(const AcousticModel& model) {
  ModelFile file;
  file.options = model->options();
  file.tensors = model->to_tensor_file("{}");
  return FloatNetwork::from_model(file);
}

ModelOptions fixed_point_network(const ModelOptions& start, const StageOptions& stage) {
  if (stage.from.empty() || stage.from == kFromNothing) {
    throw UsageError(
        fmt::format("stage '{}': from: found none, expected a trained stage: formats are chosen by "
                    "what a trained model computes",
                    stage.name));
  }
  const auto before = matrix_shapes(start);
  const auto after = matrix_shapes(with_stage_blocks(start, stage));
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i].block == after[i].block) continue;
    throw UsageError(fmt::format(
        "stage '{}': found block size {} for {}, expected {} as '{}' has: formats belong to one "
        "block size; change it in a stage of type circulant before this one",
        stage.name, after[i].block, before[i].name, before[i].block, stage.from));
  }
  try {
    check_width_names(FloatNetwork{layer_outlines(start)}, stage.quantisation);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("stage '{}': {}", stage.name, error.what()));
  }
  return start;
}

ModelOptions QatStage::network(const ModelOptions& start) const {
  return fixed_point_network(start, stage());
}

void QatStage::prepare(const AcousticModel& model, const ModelOptions& /*start*/,
                       long long /*total_steps*/) {
  model_ = model;
}

void QatStage::calibrate(const UtteranceSet& train) {
  const FloatNetwork network = float_network(model_);
  const QuantisationOptions& options = stage().quantisation;
  const RangeProfile profile =
      profile_ranges(network, spread(train, options.calibration_utterances));
  try {
    compute_in({options, quantise(network, profile, options)});
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("stage '{}': {}", stage().name, error.what()));
  }
}

void QatStage::compute_in(TrainedFormats formats) {
  formats_ = std::move(formats);
  model_->set_arithmetic(std::make_shared<FixedPointNetwork>(formats_.network, model_));
}

std::map<std::string, std::string> QatStage::metadata() const {
  return {{kFormatsKey, to_json_text(formats_)}};
}

ModelCost QatStage::cost(const AcousticModel& model) const {
  ModelCost cost = StageMethod::cost(model);
  cost.bits = 0;
  for (const QuantisedLayer& layer : formats_.network.layers) {
    for (const QuantisedMatrix& matrix : layer.matrices)
      cost.bits = std::max(cost.bits, matrix.weight.width);
  }
  cost.stored_bits = stored_bits(quantise(float_network(model), formats_.network));
  return cost;
}

void QatStage::save(TensorFile& file, const std::string& prefix) const {
  const std::string text = to_json_text(formats_);
  file.tensors[prefix + "formats"] = {"U8", {static_cast<std::int64_t>(text.size())}, text};
}

void QatStage::load(const TensorFile& file, const std::string& prefix, const std::string& path) {
  const std::string name = prefix + "formats";
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end())
    throw DataError(fmt::format("{}: tensor '{}' is missing", path, name));
  compute_in(trained_formats_from_json(found->second.bytes, path));
}

}  // namespace ernn
