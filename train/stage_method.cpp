#include "train/stage_method.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "train/admm_stage.h"

namespace ernn {

namespace {

int largest_block(const ModelOptions& options) {
  int largest = 1;
  for (const auto& shape : matrix_shapes(options)) largest = std::max(largest, shape.block);
  return largest;
}

/// Plain training of dense matrices.
class DenseMethod : public StageMethod {
 public:
  using StageMethod::StageMethod;

  ModelOptions network(const ModelOptions& start) const override {
    const ModelOptions options = with_stage_blocks(start, stage());
    if (largest_block(options) > 1) {
      throw UsageError(
          fmt::format("stage '{}': found block size {}, expected 1 in a stage of type dense; set "
                      "block and output_block to 1 or use type circulant",
                      stage().name, largest_block(options)));
    }
    return options;
  }
};

/// Training in the block-circulant parametrisation (C-LSTM's direct training when it has no
/// predecessor, E-RNN's retraining after ADMM).
class CirculantMethod : public StageMethod {
 public:
  using StageMethod::StageMethod;

  ModelOptions network(const ModelOptions& start) const override {
    const ModelOptions options = with_stage_blocks(start, stage());
    if (largest_block(options) == 1) {
      throw UsageError(
          fmt::format("stage '{}': every matrix is dense; set block in a stage of type circulant",
                      stage().name));
    }
    return options;
  }
};

std::map<std::string, StageFactory>& factories() {
  static std::map<std::string, StageFactory> map = {
      {"dense",
       [](const StageOptions& stage) -> std::unique_ptr<StageMethod> {
         return std::make_unique<DenseMethod>(stage);
       }},
      {"admm",
       [](const StageOptions& stage) -> std::unique_ptr<StageMethod> {
         return std::make_unique<AdmmStage>(stage);
       }},
      {"circulant", [](const StageOptions& stage) -> std::unique_ptr<StageMethod> {
         return std::make_unique<CirculantMethod>(stage);
       }}};
  return map;
}

}  // namespace

void register_stage_method(const std::string& type, StageFactory factory) {
  factories()[type] = std::move(factory);
}

std::unique_ptr<StageMethod> make_stage_method(const StageOptions& stage) {
  const auto found = factories().find(stage.type);
  if (found != factories().end()) return found->second(stage);
  std::vector<std::string> known;
  for (const auto& entry : factories()) known.push_back(entry.first);
  throw UsageError(fmt::format("stage '{}': unknown type '{}'{} (known: {})", stage.name,
                               stage.type, did_you_mean(stage.type, known), join(known, ", ")));
}

ModelOptions with_stage_blocks(ModelOptions start, const StageOptions& stage) {
  for (auto& layer : start.layers) {
    if (stage.block.input > 0) layer.block.input = stage.block.input;
    if (stage.block.recurrent > 0) layer.block.recurrent = stage.block.recurrent;
    if (stage.block.projection > 0) layer.block.projection = stage.block.projection;
  }
  if (stage.output_block > 0) start.output_block = stage.output_block;
  validate(start);
  return start;
}

}  // namespace ernn
