#include "train/stage_method.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "train/admm_stage.h"
#include "train/qat_stage.h"
#include "train/sparse_stage.h"

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

/// Training in the block-circulant parametrisation: E-RNN's retraining after ADMM, and what
/// C-LSTM does from the start.
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

/// C-LSTM's training: circulant from fresh parameters, or from a dense model projected at once.
class DirectMethod : public CirculantMethod {
 public:
  using CirculantMethod::CirculantMethod;

  ModelOptions network(const ModelOptions& start) const override {
    if (stage().from != kFromNothing && !stage().from.empty() && largest_block(start) > 1) {
      throw UsageError(
          fmt::format("stage '{}': '{}' is circulant already, expected a dense model or none in a "
                      "stage of type direct; set from",
                      stage().name, stage().from));
    }
    return CirculantMethod::network(start);
  }
};

/// Layers scaled down together, so that `first` is the size of the first one.
ModelOptions scaled(ModelOptions options, int first) {
  const double factor = static_cast<double>(first) / options.layers.front().size;
  const auto scale = [factor](int size) {
    return std::max(1, static_cast<int>(std::lround(factor * size)));
  };
  for (auto& layer : options.layers) {
    layer.size = scale(layer.size);
    if (layer.projection > 0) layer.projection = scale(layer.projection);
  }
  return options;
}

/// A dense network with layers so narrow that it has no more parameters than the circulant one.
class DenseSmallMethod : public StageMethod {
 public:
  using StageMethod::StageMethod;

  ModelOptions network(const ModelOptions& start) const override {
    if (!stage().from.empty() && stage().from != kFromNothing) {
      throw UsageError(
          fmt::format("stage '{}': from: found '{}', expected none: a stage of type "
                      "dense-small has layers of its own",
                      stage().name, stage().from));
    }
    const ModelOptions circulant = with_stage_blocks(start, stage());
    if (largest_block(circulant) == 1 || start.layers.empty()) {
      throw UsageError(fmt::format(
          "stage '{}': found no block size above 1, expected those of the network that a stage of "
          "type dense-small is as small as; set block",
          stage().name));
    }
    const ModelOptions dense = with_blocks(start, BlockSizes{}, 1);
    int size = dense.layers.front().size;
    while (size > 1 && parameter_count(scaled(dense, size)) > parameter_count(circulant)) --size;
    return scaled(dense, size);
  }
};

template <class Method>
std::unique_ptr<StageMethod> make(const StageOptions& stage) {
  return std::make_unique<Method>(stage);
}

using StageFactory = std::unique_ptr<StageMethod> (*)(const StageOptions&);

const std::map<std::string, StageFactory>& factories() {
  static const std::map<std::string, StageFactory> map = {
      {"dense", make<DenseMethod>},           {"admm", make<AdmmStage>},
      {"circulant", make<CirculantMethod>},   {kQatType, make<QatStage>},
      {"direct", make<DirectMethod>},         {"balanced-sparse", make<BalancedSparseStage>},
      {"dense-small", make<DenseSmallMethod>}};
  return map;
}

/// Those of `from` that are not 0.
void set_blocks(BlockSizes& block, const BlockSizes& from) {
  if (from.input > 0) block.input = from.input;
  if (from.recurrent > 0) block.recurrent = from.recurrent;
  if (from.projection > 0) block.projection = from.projection;
}

}  // namespace

ModelCost StageMethod::cost(const AcousticModel& model) const {
  ModelCost cost;
  cost.parameters = parameter_count(model->options());
  cost.stored_bits = cost.parameters * cost.bits;
  cost.multiplications = multiplications(model->options());
  return cost;
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
  const std::size_t listed = stage.layer_blocks.size();
  if (listed > 0 && listed != start.layers.size()) {
    throw UsageError(fmt::format(
        "stage '{}': layer_blocks: found {} entries, expected {}, one for each hidden layer",
        stage.name, listed, start.layers.size()));
  }
  for (std::size_t l = 0; l < start.layers.size(); ++l) {
    set_blocks(start.layers[l].block, stage.block);
    if (listed > 0) set_blocks(start.layers[l].block, stage.layer_blocks[l]);
  }
  if (stage.output_block > 0) start.output_block = stage.output_block;
  validate(start);
  return start;
}

}  // namespace ernn
