#include "explore/quantised_trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "explore/json_file.h"
#include "export/accumulators.h"
#include "export/quantise.h"
#include "models/model_file.h"
#include "train/width_sweep.h"

namespace ernn {

namespace {

/// A choice and what it was made for.
struct KeptChoice {
  std::string request;
  WidthChoice choice;
};

template <class Visitor>
void describe(Visitor& field, KeptChoice& o) {
  field("request", o.request, "what it was chosen for");
  field("choice", o.choice);
}

std::string text_of(const WidthRequest& request, const TrialRecord& record) {
  nlohmann::ordered_json json = {{"model", record.model},
                                 {"dev_per", record.dev_per},
                                 {"options", write_options(request.options).to_json()},
                                 {"bits", request.bits},
                                 {"budget", request.budget},
                                 {"signals", request.signals}};
  return json.dump();
}

int most_segments(const QuantisedNetwork& network) {
  int most = 0;
  for (const LayerWidths& layer : widths_of(network)) most = std::max(most, layer.table_segments);
  return most;
}

}  // namespace

QuantisedTrial::QuantisedTrial(const std::filesystem::path& model, const SpeechSource& speech)
    : speech_(speech) {
  const ModelFile file = ModelFile::load(model);
  context_ = model_context_from_json(file.context, model.string());
  network_ = FloatNetwork::from_model(file);
  profile_ = profile_ranges(network_, speech.calibration(context_));
}

ScoreSheet QuantisedTrial::score(const ExportOptions& options, Split split) const {
  const QuantisedNetwork quantised = quantise(network_, profile_, options);
  check_accumulators(quantised);
  return score_quantised(quantised, context_, speech_.split(context_, split));
}

WidthChoice QuantisedTrial::choose_widths(const WidthRequest& request, const TrialRecord& record,
                                          const std::filesystem::path& file) const {
  const std::string text = text_of(request, record);
  const auto kept = read_json_options<KeptChoice>(file);
  if (kept && kept->request == text) return kept->choice;
  WidthChoice choice =
      ernn::choose_widths(request, record.dev_per, [&](const ExportOptions& options) {
        return WidthMeasure{score(options, Split::dev).total.per(),
                            most_segments(quantise(network_, profile_, options))};
      });
  write_json_options(KeptChoice{text, choice}, file);
  return choice;
}

std::vector<LayerWidths> QuantisedTrial::widths(const ExportOptions& options) const {
  return widths_of(quantise(network_, profile_, options));
}

}  // namespace ernn
