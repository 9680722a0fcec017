// ernn eval: decodes and scores a split again with a trained model.
#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/config_tree.h"
#include "base/error.h"
#include "base/files.h"
#include "base/options.h"
#include "base/text.h"
#include "features/dataset.h"
#include "features/kaldi_table.h"
#include "train/commands/arguments.h"
#include "train/commands/commands.h"
#include "train/evaluate.h"
#include "train/machine.h"
#include "train/run.h"
#include "train/run_config.h"

namespace ernn {

namespace {

/// What --set may change: everything else is fixed by the model.
struct EvalOptions {
  DataOptions data;
  DecoderOptions decoder;
  ScoringOptions scoring;
  int threads = 1;
  int batch = 16;
};

template <class Visitor>
void describe(Visitor& field, EvalOptions& o) {
  field("data", o.data);
  field("decoder", o.decoder);
  field("scoring", o.scoring);
  field("threads", o.threads, "of LibTorch");
  field("batch", o.batch, "utterances");
}

/// The model's own decoding and the run's data, then the assignments of the command line.
EvalOptions read_eval_options(const ModelContext& context, const std::filesystem::path& run_config,
                              const std::vector<std::string>& sets) {
  EvalOptions defaults;
  if (std::filesystem::exists(run_config)) {
    const RunConfig config = load_run_config(run_config);
    defaults.data = config.data;
    defaults.threads = config.threads;
  }
  defaults.data.phones = context.phones;
  defaults.decoder = context.decoder;
  defaults.scoring.protocol = context.protocol;
  ConfigNode tree = ConfigNode::map("--set");  // where a wrong key must come from
  const ConfigNode written = write_options(defaults);
  for (const auto& [key, value] : written.entries()) tree[key] = value;
  for (const auto& assignment : sets) tree.set(assignment);
  auto options = read_options<EvalOptions>(tree);
  if (options.data.phones != context.phones) {
    throw UsageError(fmt::format("data.phones: found {}, expected {} as the model has",
                                 name_of(options.data.phones), name_of(context.phones)));
  }
  check_decoder(options.decoder, context.criterion);
  check_protocol(options.scoring.protocol, context.phones);
  if (options.data.root.empty()) {
    throw UsageError(
        "ernn eval: data.root is not known, since the model lies in no run folder; give it by "
        "--set "
        "data.root=FOLDER");
  }
  if (options.threads < 1 || options.batch < 1)
    throw UsageError("ernn eval: threads and batch must be positive");
  return options;
}

std::filesystem::path model_file(const cxxopts::ParseResult& arguments) {
  const bool by_file = arguments.count("model") > 0;
  const bool by_run = arguments.count("run") > 0 && arguments.count("stage") > 0;
  if (by_file == by_run) {
    throw UsageError("ernn eval: expected either --model FILE or --run DIR with --stage NAME");
  }
  if (by_file) return arguments["model"].as<std::string>();
  return std::filesystem::path(arguments["run"].as<std::string>()) /
         arguments["stage"].as<std::string>() / "model.safetensors";
}

/// Collects posteriors, because evaluation goes by length and archives are sorted by key.
class PosteriorArchive {
 public:
  explicit PosteriorArchive(std::vector<double> subtracted) : subtracted_(std::move(subtracted)) {}

  void add(const std::string& id, FrameMatrix posteriors) {
    for (int t = 0; t < posteriors.rows; ++t) {
      for (std::size_t c = 0; c < subtracted_.size(); ++c)
        posteriors.row(t)[c] -= static_cast<float>(subtracted_[c]);
    }
    entries_[id] = std::move(posteriors);
  }

  void write(const std::filesystem::path& path) const {
    KaldiTableWriter writer(path);
    for (const auto& [id, posteriors] : entries_) writer.write(id, posteriors);
    writer.commit();
  }

 private:
  std::vector<double> subtracted_;
  std::map<std::string, FrameMatrix> entries_;
};

/// What --likelihoods takes off each column. Throws UsageError for CTC, whose blank has no prior.
std::vector<double> subtracted_priors(const cxxopts::ParseResult& arguments,
                                      const ModelContext& context) {
  if (arguments.count("likelihoods") == 0) return {};
  if (arguments.count("write-ark") == 0)
    throw UsageError("ernn eval: --likelihoods changes what --write-ark writes; give both");
  if (context.criterion == Criterion::ctc)
    throw UsageError("ernn eval: --likelihoods needs a model of the criterion frame, found ctc");
  return context.decoder_model.log_prior;
}

}  // namespace

int eval_command(int argc, char** argv) {
  cxxopts::Options options("ernn eval",
                           "Decodes a split with a trained model and prints its phone error rate.");
  // clang-format off
  options.add_options()
      ("model", "model file", cxxopts::value<std::string>())
      ("run", "run folder, with --stage", cxxopts::value<std::string>())
      ("stage", "name of a stage", cxxopts::value<std::string>())
      ("split", "train, dev or test", cxxopts::value<std::string>()->default_value("test"))
      ("set", "override decoder.*, scoring.*, data.*, threads or batch",
       cxxopts::value<std::vector<std::string>>())
      ("out", "folder for ref.trn, hyp.trn, alignment.txt, scores.json",
       cxxopts::value<std::string>())
      ("write-ark", "Kaldi archive for the log-posteriors", cxxopts::value<std::string>())
      ("likelihoods", "with --write-ark: minus the log-priors, as Kaldi's decoders expect")
      ("quiet", "no progress");
  // clang-format on
  cxxopts::ParseResult arguments;
  if (!parse_arguments(options, argc, argv, arguments)) return 0;
  const std::filesystem::path path = model_file(arguments);
  LoadedModel loaded = load_model(path);
  std::vector<std::string> sets;
  if (arguments.count("set") > 0) sets = arguments["set"].as<std::vector<std::string>>();
  const auto run_config =
      std::filesystem::absolute(path).parent_path().parent_path() / "config.yaml";
  const EvalOptions eval = read_eval_options(loaded.context, run_config, sets);
  loaded.context.decoder = eval.decoder;
  loaded.context.protocol = eval.scoring.protocol;
  set_threads(eval.threads);
  const Split split = choice_of<Split>(arguments["split"].as<std::string>(), "ernn eval: --split");
  UtteranceSet utterances =
      load_split(eval.data, loaded.context.features, split, arguments.count("quiet") > 0);
  utterances.normalise({loaded.context.mean, loaded.context.inverse_std});
  PosteriorArchive archive(subtracted_priors(arguments, loaded.context));
  PosteriorSink sink;
  if (arguments.count("write-ark") > 0)
    sink = [&](const std::string& id, const FrameMatrix& posteriors) {
      archive.add(id, posteriors);
    };
  const SplitResult result = evaluate(loaded.model, utterances, loaded.context, eval.batch, sink);
  if (sink) archive.write(arguments["write-ark"].as<std::string>());
  if (arguments.count("out") > 0) {
    const std::filesystem::path out = arguments["out"].as<std::string>();
    make_folder(out);
    write_scores(result.scores, out);
  }
  fmt::print("{} {} {}: {}\n", loaded.context.run, loaded.context.stage, name_of(split),
             result.scores.text());
  return 0;
}

}  // namespace ernn
