// ernn export: a trained model to fixed point, as an artefact.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/config_tree.h"
#include "base/error.h"
#include "base/options.h"
#include "base/text.h"
#include "export/artefact_writer.h"
#include "export/comparison.h"
#include "export/export_options.h"
#include "export/float_network.h"
#include "export/profile.h"
#include "export/quantise.h"
#include "export/trained_formats.h"
#include "features/dataset.h"
#include "features/phones.h"
#include "models/model_file.h"
#include "train/commands/commands.h"
#include "train/commands/run_stage.h"
#include "train/model_context.h"
#include "train/run_config.h"

namespace ernn {

namespace {

namespace fs = std::filesystem;

/// What one export needs to know.
struct Job {
  fs::path model;
  fs::path out;
  std::string run, stage;
  DataOptions data;
  ExportOptions export_options;
};

template <class Visitor>
void describe(Visitor& field, Job& o) {
  field("data", o.data);
  field("export", o.export_options);
}

std::vector<std::string> assignments(const cxxopts::ParseResult& arguments) {
  std::vector<std::string> sets;
  if (arguments.count("set") > 0) sets = arguments["set"].as<std::vector<std::string>>();
  if (arguments.count("bits") > 0)
    sets.push_back(fmt::format("export.bits={}", arguments["bits"].as<int>()));
  if (arguments.count("data-root") > 0)
    sets.push_back(fmt::format("data.root={}", arguments["data-root"].as<std::string>()));
  return sets;
}

Job job_of_run(const cxxopts::ParseResult& arguments) {
  const RunStage found = read_run_stage("export", arguments, assignments(arguments));
  Job job;
  job.run = found.run.string();
  job.stage = found.stage;
  job.model = found.model();
  job.out = found.folder() / "artefact";
  job.data = found.config.data;
  job.export_options = found.config.export_options;
  return job;
}

Job job_of_model(const cxxopts::ParseResult& arguments) {
  if (arguments.count("out") == 0 || arguments.count("data-root") == 0)
    throw UsageError(
        "ernn export: --model needs --data-root DIR (speech to measure) and --out DIR");
  const fs::path file = arguments["model"].as<std::string>();
  Job defaults;
  if (const auto trained = trained_formats(ModelFile::load(file), file.string()))
    static_cast<QuantisationOptions&>(defaults.export_options) = trained->options;
  ConfigNode tree = ConfigNode::map("command line");
  const ConfigNode written = write_options(defaults);
  for (const auto& [key, value] : written.entries()) tree[key] = value;
  for (const std::string& set : assignments(arguments)) tree.set(set);
  Job job = read_options<Job>(tree);
  job.model = file;
  return job;
}

Job read_job(const cxxopts::ParseResult& arguments) {
  if (arguments.count("run") + arguments.count("model") != 1)
    throw UsageError("ernn export: expected one of --run DIR and --model FILE");
  Job job = arguments.count("run") > 0 ? job_of_run(arguments) : job_of_model(arguments);
  if (arguments.count("out") > 0) job.out = arguments["out"].as<std::string>();
  validate(job.export_options);
  return job;
}

std::vector<std::string> class_names(const ModelContext& context) {
  std::vector<std::string> names = phone_symbols(context.phones);
  if (context.criterion == Criterion::ctc) names.insert(names.begin(), "<blank>");
  return names;
}

/// Where the formats come from.
std::string formats_text(const Job& job, const std::optional<TrainedFormats>& trained) {
  if (!trained) return "measured";
  const std::string difference = first_difference(trained->options, job.export_options);
  if (difference.empty()) return "those that the model was trained in";
  return fmt::format("measured, not those that the model was trained in: export.{}", difference);
}

std::string provenance(const Job& job, const ModelContext& context, const RangeProfile& profile,
                       const std::string& formats) {
  nlohmann::ordered_json json;
  json["model"] = job.model.string();
  json["run"] = context.run;
  json["stage"] = context.stage;
  json["stage_type"] = context.stage_type;
  json["seed"] = context.seed;
  json["export"] = write_options(job.export_options).to_json();
  json["formats"] = formats;
  nlohmann::ordered_json& ranges = json["ranges"] = nlohmann::ordered_json::object();
  for (const auto& [signal, range] : profile) {
    ranges[signal] = {{"largest", range.largest()},
                      {"percentile_99_99", range.percentile(99.99)},
                      {"values", range.count()}};
  }
  return json.dump();
}

void print_table(const std::vector<SignalError>& errors) {
  fmt::print("{:34} {:>8} {:>12} {:>9} {:>12}\n", "signal", "format", "largest", "SNR / dB",
             "saturations");
  for (const SignalError& error : errors) {
    fmt::print("{:34} {:>8} {:>12.5g} {:>9} {:>12}\n", error.signal, error.format.text(),
               error.largest, snr_text(error.snr_db), error.saturations);
  }
}

void print_sizes(const QuantisedNetwork& network) {
  long long dense = 0;
  long long stored = 0;
  for (const QuantisedLayer& layer : network.layers) {
    const std::size_t vectors =
        layer.bias_codes.size() + layer.peephole_codes.size() + layer.candidate_bias_codes.size();
    dense += static_cast<long long>(vectors);
    stored += static_cast<long long>(vectors);
    for (const QuantisedMatrix& matrix : layer.matrices) {
      dense += static_cast<long long>(matrix.shape.rows) * matrix.shape.cols;
      stored += matrix.shape.stored();
    }
  }
  const std::int64_t bits = stored_bits(network);
  fmt::print(
      "{} numbers stored in {} bits ({:.1f} KiB): 1/{:.1f} of the dense network's {} numbers, "
      "1/{:.1f} of its bits at 32 a number\n",
      stored, bits, static_cast<double>(bits) / 8192,
      static_cast<double>(dense) / static_cast<double>(stored), dense,
      32 * static_cast<double>(dense) / static_cast<double>(bits));
}

/// Frames for the golden vectors: from a third into the first utterance that is long enough, where
/// there is speech, not silence.
CodeFrames golden_frames(const std::vector<FrameMatrix>& utterances, const Format& format,
                         int wanted) {
  std::int64_t saturations = 0;
  const auto longest =
      std::max_element(utterances.begin(), utterances.end(),
                       [](const FrameMatrix& a, const FrameMatrix& b) { return a.rows < b.rows; });
  const auto enough = std::find_if(utterances.begin(), utterances.end(), [&](const FrameMatrix& u) {
    return u.rows - u.rows / 3 >= wanted;
  });
  const CodeFrames all =
      quantise_frames(enough != utterances.end() ? *enough : *longest, format, saturations);
  return {all.begin() + static_cast<std::ptrdiff_t>(all.size() / 3), all.end()};
}

void run_export(const Job& job) {
  const ModelFile model = ModelFile::load(job.model);
  const ModelContext context = model_context_from_json(model.context, job.model.string());
  const auto width = static_cast<std::size_t>(model.options.inputs);
  if (context.mean.size() != width || context.inverse_std.size() != width) {
    throw DataError(
        fmt::format("{}: its context normalises {} dimensions, but the network takes {} inputs",
                    job.model.string(), context.mean.size(), width));
  }
  // Before the calibration, which takes longer than finding out that a fold does not suit.
  const Folding folding = resolve(job.export_options.folding, model.options);
  const FloatNetwork network = FloatNetwork::from_model(model);
  const std::optional<TrainedFormats> trained = trained_formats(model, job.model.string());
  const std::string formats = formats_text(job, trained);
  const std::vector<FrameMatrix> utterances =
      calibration_frames(job.data, context, job.export_options.calibration_utterances);
  const RangeProfile profile = profile_ranges(network, utterances);

  Artefact artefact;
  artefact.network = quantise(network, profile, job.export_options, trained);
  artefact.context = model.context;
  artefact.classes = class_names(context);
  artefact.provenance = provenance(job, context, profile, formats);
  fmt::print("formats: {}\n", formats);
  print_table(compare_with_reference(network, artefact.network, utterances));
  print_sizes(artefact.network);
  const ExportOptions& options = job.export_options;
  const CodeFrames frames =
      golden_frames(utterances, artefact.network.input_format(), options.golden_long_frames);
  write_artefact(
      artefact,
      make_golden(artefact.network, frames, options.golden_frames, options.golden_long_frames),
      job.out, folding);
  fmt::print("wrote {}\n", job.out.string());
}

}  // namespace

int export_command(int argc, char** argv) {
  cxxopts::Options options("ernn export",
                           "Quantises a trained model and writes it as an artefact: codes, tables, "
                           "golden vectors, HLS project.");
  options.add_options()("run", "run folder", cxxopts::value<std::string>(), "DIR")(
      "stage", "stage of the run", cxxopts::value<std::string>(), "NAME")(
      "model", "model file, instead of --run", cxxopts::value<std::string>(), "FILE")(
      "data-root", "corpus to measure ranges on", cxxopts::value<std::string>(), "DIR")(
      "out", "artefact to write (default: DIR/NAME/artefact)", cxxopts::value<std::string>(),
      "DIR")("bits", "width of stored codes, 6 to 16", cxxopts::value<int>(), "N")(
      "set", "override a key of the configuration, for example export.guard_bits=6",
      cxxopts::value<std::vector<std::string>>(), "KEY=VALUE");
  cxxopts::ParseResult result;
  if (!parse_arguments(options, argc, argv, result)) return 0;
  run_export(read_job(result));
  return 0;
}

}  // namespace ernn
