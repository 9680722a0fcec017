#include "train/model_info.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/options.h"
#include "base/text.h"
#include "train/model_context.h"

namespace ernn {

namespace {

std::string layer_text(const LayerOptions& layer) {
  std::string text = fmt::format("{} {}", name_of(layer.type), layer.size);
  switch (layer.type) {
    case LayerType::lstm:
      if (layer.projection > 0) text += fmt::format(", projection {}", layer.projection);
      if (layer.peepholes) text += ", peepholes";
      if (layer.cell_clip > 0) text += fmt::format(", cell clip {:g}", layer.cell_clip);
      break;
    case LayerType::gru:
      text += fmt::format(", reset {}", name_of(layer.reset));
      break;
    case LayerType::feedforward:
      text += fmt::format(", activation {}", name_of(layer.activation));
      if (layer.joins_frames()) text += fmt::format(", offsets {}", fmt::join(layer.offsets, " "));
      break;
  }
  return text;
}

std::string kilobytes(long long numbers, int bits) {
  return fmt::format("{:.1f}", static_cast<double>(numbers) * bits / 8000.0);
}

std::string matrix_table(const ModelOptions& options) {
  const auto shapes = matrix_shapes(options);
  std::size_t width = std::string("biases, peepholes").size();
  for (const auto& shape : shapes) width = std::max(width, shape.name.size());
  const auto line = [&](const std::string& name, const std::string& rows, const std::string& cols,
                        const std::string& block, long long stored) {
    return fmt::format("{:<{}} {:>6} {:>6} {:>6} {:>10} {:>10} {:>10}\n", name, width, rows, cols,
                       block, stored, kilobytes(stored, 32), kilobytes(stored, 12));
  };
  std::string text = fmt::format("{:<{}} {:>6} {:>6} {:>6} {:>10} {:>10} {:>10}\n", "matrix", width,
                                 "rows", "cols", "block", "stored", "kB @32", "kB @12");
  long long matrices = 0;
  for (const auto& shape : shapes) {
    matrices += shape.stored();
    text += line(shape.name, std::to_string(shape.rows), std::to_string(shape.cols),
                 shape.block > 1 ? std::to_string(shape.block) : "dense", shape.stored());
  }
  const long long all = parameter_count(options);
  text += line("biases, peepholes", "", "", "", all - matrices);
  text += line("all", "", "", "", all);
  text += fmt::format("{} parameters: {} bits at 32, {} bits at 12; kB = 1000 bytes\n", all,
                      32 * all, 12 * all);
  return text;
}

std::string context_text(const ModelContext& context) {
  std::string text;
  const auto add = [&](const char* key, const std::string& value) {
    text += fmt::format("{:<12} {}\n", key, value);
  };
  const FeatureOptions& features = context.features;
  add("run", fmt::format("{}, stage {} ({}), seed {}", context.run, context.stage,
                         context.stage_type, context.seed));
  add("features", features.preset.empty() ? name_of(features.type) : features.preset);
  add("phones", fmt::format("{}, criterion {}, label delay {} frames", name_of(context.phones),
                            name_of(context.criterion), context.label_delay));
  add("decoder", fmt::format("{}, bigram weight {:g}, prior scale {:g}, min duration {} frames",
                             name_of(context.decoder.type), context.decoder.lm_weight,
                             context.decoder.prior_scale, context.decoder.min_duration));
  add("scoring", name_of(context.protocol));
  return text;
}

}  // namespace

std::string describe_model(const ModelFile& model, const std::string& name) {
  const ModelOptions& options = model.options;
  std::vector<std::string> layers;
  for (const auto& layer : options.layers) layers.push_back(layer_text(layer));
  std::string text = fmt::format("{}\n", name);
  if (!model.context.empty()) text += context_text(model_context_from_json(model.context, name));
  text += fmt::format("{:<12} {} inputs; {}; {} outputs\n\n", "network", options.inputs,
                      join(layers, "; "), options.outputs);
  return text + matrix_table(options);
}

}  // namespace ernn
