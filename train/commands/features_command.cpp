// ernn features: writes a split as a Kaldi data directory, and shows what archives hold.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/config_tree.h"
#include "base/error.h"
#include "base/files.h"
#include "base/options.h"
#include "base/text.h"
#include "features/dataset.h"
#include "features/kaldi_table.h"
#include "features/split_reader.h"
#include "train/commands/arguments.h"
#include "train/commands/commands.h"

namespace ernn {

namespace {

struct Request {
  DataOptions data;
  FeatureOptions features;
};

template <class T>
T section(const ConfigNode& tree, const char* name) {
  const ConfigNode* node = tree.find(name);
  return node == nullptr ? T{} : read_options<T>(*node, name);
}

/// The `data` and `features` sections of a configuration; a run's configuration has others, which
/// play no part here.
Request read_request(const cxxopts::ParseResult& arguments) {
  ConfigNode tree = ConfigNode::map();
  if (arguments.count("config") > 0) {
    tree = ConfigNode::from_yaml_file(arguments["config"].as<std::string>());
  }
  if (arguments.count("set") > 0) {
    for (const auto& assignment : arguments["set"].as<std::vector<std::string>>()) {
      const std::string name = assignment.substr(0, assignment.find_first_of(".="));
      if (name != "data" && name != "features") {
        throw UsageError(fmt::format("--set {}: ernn features only has data.* and features.*{}",
                                     assignment, did_you_mean(name, {"data", "features"})));
      }
      tree.set(assignment);
    }
  }
  Request request;
  request.data = section<DataOptions>(tree, "data");
  request.features = section<FeatureOptions>(tree, "features");
  if (arguments.count("root") > 0) request.data.root = arguments["root"].as<std::string>();
  return request;
}

Split read_split(const std::string& name) {
  return read_options<Split>(ConfigNode::scalar(name, "ernn features"), "--split");
}

/// The lists of a Kaldi data directory, as text.
struct DataFolder {
  std::string utt2spk, spk2utt, text, utt2num_frames, phones;
};

DataFolder describe_folder(const std::vector<UtteranceInfo>& utterances,
                           const std::vector<std::string>& symbols) {
  DataFolder out;
  std::map<std::string, std::string> by_speaker;
  for (const auto& u : utterances) {
    out.utt2spk += u.id + " " + u.speaker + "\n";
    by_speaker[u.speaker] += " " + u.id;
    out.utt2num_frames += fmt::format("{} {}\n", u.id, u.frames);
    out.text += u.id;
    for (const int phone : u.phones) out.text += " " + symbols[static_cast<std::size_t>(phone)];
    out.text += "\n";
  }
  for (const auto& [speaker, ids] : by_speaker) out.spk2utt += speaker + ids + "\n";
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    out.phones += fmt::format("{} {}\n", symbols[i], i);
  }
  return out;
}

int write_folder(const Request& request, Split split, const std::filesystem::path& out,
                 bool quiet) {
  const SplitReader reader(request.data, request.features, split);
  make_folder(out);
  // Absolute, so that the script files work from every working directory.
  const auto folder = std::filesystem::absolute(out).lexically_normal();
  KaldiTableWriter features(folder / "feats.ark", folder / "feats.scp");
  KaldiTableWriter labels(folder / "labels.ark", folder / "labels.scp");
  std::vector<UtteranceInfo> utterances;
  reader.read_all(
      [&](const LabelledUtterance& u) {
        features.write(u.id, u.features);
        labels.write(u.id, KaldiIntegers(u.frame_labels.begin(), u.frame_labels.end()));
        utterances.push_back(info_of(u));
      },
      quiet);
  const DataFolder lists = describe_folder(utterances, phone_symbols(request.data.phones));
  features.commit();
  labels.commit();
  write_file(folder / "utt2spk", lists.utt2spk);
  write_file(folder / "spk2utt", lists.spk2utt);
  write_file(folder / "text", lists.text);
  write_file(folder / "utt2num_frames", lists.utt2num_frames);
  write_file(folder / "phones.txt", lists.phones);
  if (!quiet) {
    fmt::print(stderr, "{}\n", split_summary(split, utterances));
    fmt::print(stderr, "{}: {} utterances, {} dimensions\n", folder.string(), utterances.size(),
               feature_dimension(request.features));
  }
  return 0;
}

/// Smallest and largest finite value and the number of values that are not finite.
struct Range {
  double least = std::numeric_limits<double>::infinity();
  double most = -std::numeric_limits<double>::infinity();
  long long not_finite = 0;

  void add(double value) {
    if (!std::isfinite(value)) {
      ++not_finite;
      return;
    }
    least = std::min(least, value);
    most = std::max(most, value);
  }
};

int print_table(const std::filesystem::path& path, bool is_scp, bool integers) {
  long long entries = 0;
  long long rows = 0;
  long long not_finite = 0;
  const auto line = [&](const std::string& key, const std::string& shape, const Range& range) {
    fmt::print("{} {} min {:.6g} max {:.6g}{}\n", key, shape, range.least, range.most,
               range.not_finite > 0 ? fmt::format(" NOT FINITE {}", range.not_finite) : "");
    ++entries;
    not_finite += range.not_finite;
  };
  const auto show_matrix = [&](const std::string& key, const FrameMatrix& value) {
    Range range;
    for (const float x : value.data) range.add(x);
    line(key, fmt::format("{} x {}", value.rows, value.cols), range);
    rows += value.rows;
  };
  const auto show_integers = [&](const std::string& key, const KaldiIntegers& value) {
    Range range;
    for (const auto x : value) range.add(x);
    line(key, fmt::format("{}", value.size()), range);
    rows += static_cast<long long>(value.size());
  };
  if (integers) {
    is_scp ? read_integers_scp(path, show_integers) : read_integers_ark(path, show_integers);
  } else {
    is_scp ? read_matrix_scp(path, show_matrix) : read_matrix_ark(path, show_matrix);
  }
  fmt::print("{} entries, {} {}\n", entries, rows, integers ? "elements" : "rows");
  if (not_finite > 0) {
    throw DataError(
        fmt::format("{}: found {} values that are not finite", path.string(), not_finite));
  }
  return 0;
}

void add_options(cxxopts::Options& parser) {
  auto option = parser.add_options();
  option("config", "YAML file with data and features sections (a run's config.yaml will do)",
         cxxopts::value<std::string>());
  option("set", "one option, as data.phones=timit39 or features.preset=mfcc39; repeatable",
         cxxopts::value<std::vector<std::string>>());
  option("root", "folder of the corpus (data.root)", cxxopts::value<std::string>());
  option("split", "train, dev or test", cxxopts::value<std::string>());
  option("out",
         "folder for feats.ark, feats.scp, labels.ark (class of each frame, -1 where the phone set "
         "deletes it), labels.scp, text, utt2spk, spk2utt, utt2num_frames, phones.txt",
         cxxopts::value<std::string>());
  option("ark", "instead: print shape, minimum and maximum of every entry of an archive",
         cxxopts::value<std::string>());
  option("scp", "the same for the entries of a script file", cxxopts::value<std::string>());
  option("integers", "with --ark or --scp: the entries are integer vectors");
  option("quiet", "print errors only");
}

void refuse_together(const cxxopts::ParseResult& arguments, const std::string& given,
                     const std::vector<std::string>& others) {
  for (const auto& other : others) {
    if (arguments.count(other) == 0) continue;
    throw UsageError(fmt::format("ernn features: --{} and --{} do not go together", given, other));
  }
}

}  // namespace

int features_command(int argc, char** argv) {
  cxxopts::Options parser("ernn features",
                          "Writes the features and labels of a split as a Kaldi data directory, or "
                          "shows what Kaldi archives hold.");
  add_options(parser);
  cxxopts::ParseResult arguments;
  if (!parse_arguments(parser, argc, argv, arguments)) return 0;
  for (const std::string table : {"ark", "scp"}) {
    if (arguments.count(table) == 0) continue;
    refuse_together(arguments, table,
                    {table == "ark" ? "scp" : "ark", "config", "set", "root", "split", "out"});
    return print_table(arguments[table].as<std::string>(), table == "scp",
                       arguments.count("integers") > 0);
  }
  if (arguments.count("integers") > 0) {
    throw UsageError("ernn features: --integers needs --ark or --scp");
  }
  for (const char* needed : {"split", "out"}) {
    if (arguments.count(needed) > 0) continue;
    throw UsageError(fmt::format(
        "ernn features: --{} is missing (or --ark or --scp, to look into an archive)", needed));
  }
  return write_folder(read_request(arguments), read_split(arguments["split"].as<std::string>()),
                      arguments["out"].as<std::string>(), arguments.count("quiet") > 0);
}

}  // namespace ernn
