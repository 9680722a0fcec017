#include "export/artefact.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <system_error>

#include "base/error.h"
#include "base/files.h"
#include "export/accumulators.h"
#include "export/emulator.h"
#include "export/hls_project.h"
#include "export/manifest.h"
#include "export/signals.h"
#include "hls/io/npy.h"
#include "hls/io/sha256.h"

namespace ernn {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

constexpr const char* kKind = "ernn artefact";
constexpr const char* kManifest = "manifest.json";
constexpr const char* kSums = "SHA256SUMS";

/// Files of an artefact in the making; remembers their hashes.
class FolderWriter {
 public:
  explicit FolderWriter(fs::path folder) : folder_(std::move(folder)) { make_folder(folder_); }

  void write(const std::string& name, const std::string& bytes) {
    const fs::path path = folder_ / name;
    make_folder(path.parent_path());
    write_file(path, bytes);
    note(name);
  }
  /// Records what something else has written into a folder of the artefact.
  void note_folder(const std::string& name) {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / name)) {
      if (entry.is_regular_file())
        names.push_back(entry.path().lexically_relative(folder_).generic_string());
    }
    std::sort(names.begin(), names.end());
    for (const std::string& file : names) note(file);
  }
  void write_frames(const std::string& name, const CodeFrames& frames, int length) {
    std::vector<std::int32_t> values;
    for (const auto& frame : frames) values.insert(values.end(), frame.begin(), frame.end());
    write(name, hls::npy_bytes({frames.size(), static_cast<std::size_t>(length)}, values));
  }
  /// In sha256sum(1)'s format.
  std::string sums() const {
    std::string text;
    for (const hls::HashedFile& file : files_) text += file.hash + "  " + file.name + "\n";
    return text;
  }
  const std::vector<hls::HashedFile>& files() const { return files_; }
  const fs::path& folder() const { return folder_; }

 private:
  void note(const std::string& name) {
    files_.push_back({hls::sha256_file((folder_ / name).string()), name});
  }

  fs::path folder_;
  std::vector<hls::HashedFile> files_;
};

OrderedJson conventions() {
  return {{"arithmetic", "docs/arithmetic.md"},
          {"format", "[width, integer bits]; code = value * 2^(width - integer), two's complement"},
          {"narrowing", "round half up, then saturate"},
          {"spectrum_packing", "Re0, Re(k/2), Re1, Im1, Re2, Im2, ..."},
          {"weights",
           "k > 1: packed spectra of c/k, [block rows, block columns, k]; k = 1: [rows, "
           "columns]; W[r, s] = c[(r - s) mod k]"},
          {"lstm_gates", {"i", "f", "g", "o"}},
          {"gru_gates", {"z", "r", "candidate"}},
          {"peepholes", {"i", "f", "o"}},
          {"table_extra_bits", kTableExtraBits},
          {"transform_guard_bits", kTransformGuardBits},
          {"twiddle_fraction", kTwiddleFraction}};
}

void write_files(FolderWriter& writer, QuantisedNetwork network, const Golden& golden) {
  for (const ArrayFile& file : code_files(network))
    writer.write(file.name, hls::npy_bytes(file.shape, *file.codes));
  for (const TableFile& file : table_files(network)) {
    std::vector<std::int32_t> values = file.table->base;
    values.insert(values.end(), file.table->slope.begin(), file.table->slope.end());
    writer.write(file.name, hls::npy_bytes({2, file.table->base.size()}, values));
  }
  writer.write_frames("golden/input.npy", golden.input, network.inputs());
  for (const TracedSignal& signal : traced_signals(network)) {
    writer.write_frames("golden/" + signal.name + ".npy", golden.signals.at(signal.name),
                        signal.length);
  }
  writer.write_frames("golden/long_input.npy", golden.long_input, network.inputs());
  writer.write_frames("golden/logits.npy", golden.logits, network.outputs());
}

std::string manifest_text(const Artefact& artefact, const Golden& golden,
                          const FolderWriter& writer) {
  OrderedJson manifest;
  manifest["kind"] = kKind;
  manifest["format_version"] = kArtefactVersion;
  manifest["inputs"] = artefact.network.inputs();
  manifest["outputs"] = artefact.network.outputs();
  manifest["classes"] = artefact.classes;
  manifest["context"] = OrderedJson::parse(artefact.context);
  manifest["conventions"] = conventions();
  put_network(manifest, artefact.network);
  OrderedJson& signals = manifest["signals"] = OrderedJson::array();
  for (const TracedSignal& signal : traced_signals(artefact.network)) {
    signals.push_back({{"name", signal.name},
                       {"length", signal.length},
                       {"format", {signal.format.width, signal.format.integer}},
                       {"counted", signal.counted}});
  }
  manifest["golden"] = {{"frames", golden.input.size()}, {"long_frames", golden.logits.size()}};
  manifest["provenance"] = OrderedJson::parse(artefact.provenance);
  OrderedJson& files = manifest["files"] = OrderedJson::array();
  for (const hls::HashedFile& file : writer.files())
    files.push_back({{"name", file.name}, {"sha256", file.hash}});
  return manifest.dump(1) + "\n";
}

/// Puts `part` in the place of `folder`.
void take_place(const fs::path& part, const fs::path& folder) {
  std::error_code error;
  fs::path old = folder;
  old += ".old";
  fs::remove_all(old, error);
  const bool replaces = fs::exists(folder, error);
  if (replaces) fs::rename(folder, old, error);
  if (!error) fs::rename(part, folder, error);
  if (error) {
    std::error_code ignored;
    if (replaces && !fs::exists(folder, ignored)) fs::rename(old, folder, ignored);
    throw DataError(
        fmt::format("{}: cannot be put in place: {}", folder.string(), error.message()));
  }
  fs::remove_all(old, error);
}

void check_place(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return;
  const bool artefact = fs::exists(folder / kManifest, error);
  if (artefact || (fs::is_directory(folder, error) && fs::is_empty(folder, error))) return;
  throw DataError(fmt::format(
      "{}: exists and is no artefact (no {} in it), so it is not replaced; give another --out",
      folder.string(), kManifest));
}

/// Runs `action`; what the dependency-free readers and the JSON library throw becomes a DataError.
template <class Action>
auto as_data_errors(const std::string& place, Action action) {
  try {
    return action();
  } catch (const Json::exception& error) {
    throw DataError(fmt::format("{}: {}", place, error.what()));
  } catch (const Error&) {
    throw;
  } catch (const std::runtime_error& error) {
    throw DataError(error.what());
  }
}

Json read_manifest(const fs::path& folder) {
  const std::string path = (folder / kManifest).string();
  Json manifest = Json::parse(read_file(path));
  if (!manifest.is_object() || manifest.value("kind", Json()) != kKind) {
    throw DataError(
        fmt::format("{}: its \"kind\" is not \"{}\", so it is no artefact", path, kKind));
  }
  const Json version = manifest.value("format_version", Json());
  if (version != kArtefactVersion) {
    throw DataError(
        fmt::format("{}: has format_version {}, this program reads version {}; export again", path,
                    version.dump(), kArtefactVersion));
  }
  return manifest;
}

/// SHA256SUMS vouches for the manifest and all it lists; the two must list the same.
void check_hashes(const fs::path& folder, const Json& manifest) {
  const std::string sums = (folder / kSums).string();
  std::map<std::string, std::string> listed;
  for (const hls::HashedFile& file : hls::check_sha256sums(folder.string()))
    listed[file.name] = file.hash;
  if (listed.erase(kManifest) == 0)
    throw DataError(fmt::format("{}: does not list {}", sums, kManifest));
  for (const Json& file : manifest.at("files")) {
    const std::string name = file.at("name").get<std::string>();
    const auto found = listed.find(name);
    if (found == listed.end() || found->second != file.at("sha256").get<std::string>()) {
      throw DataError(
          fmt::format("{}: does not list {} with the hash that {} gives", sums, name, kManifest));
    }
    listed.erase(found);
  }
  if (!listed.empty()) {
    throw DataError(fmt::format("{}: lists {}, which {} does not know", sums, listed.begin()->first,
                                kManifest));
  }
}

std::vector<std::int32_t> read_codes(const fs::path& path, const std::vector<std::size_t>& shape,
                                     std::int64_t low, std::int64_t high) {
  const hls::NpyArray array = hls::read_npy(path.string(), shape);
  std::vector<std::int32_t> codes;
  codes.reserve(array.values.size());
  for (std::size_t i = 0; i < array.values.size(); ++i) {
    const std::int64_t value = array.values[i];
    if (value < low || value > high) {
      throw DataError(fmt::format("{}: element {} is {}, expected a code from {} to {}",
                                  path.string(), i, value, low, high));
    }
    codes.push_back(static_cast<std::int32_t>(value));
  }
  return codes;
}

void read_arrays(QuantisedNetwork& network, const fs::path& folder) {
  for (const ArrayFile& file : code_files(network)) {
    *file.codes =
        read_codes(folder / file.name, file.shape, file.format.smallest(), file.format.largest());
  }
  for (const TableFile& file : table_files(network)) {
    const std::size_t segments = file.table->base.size();
    const std::int64_t one = std::int64_t{1} << (file.layer->gate.fraction() + kTableExtraBits);
    const std::vector<std::int32_t> values = read_codes(folder / file.name, {2, segments}, 0, one);
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(segments);
    file.table->base.assign(values.begin(), middle);
    file.table->slope.assign(middle, values.end());
  }
}

CodeFrames read_frames(const fs::path& path, std::size_t frames, int length, const Format& format) {
  const auto width = static_cast<std::size_t>(length);
  const std::vector<std::int32_t> codes =
      read_codes(path, {frames, width}, format.smallest(), format.largest());
  CodeFrames rows;
  for (std::size_t t = 0; t < frames; ++t) {
    const auto from = codes.begin() + static_cast<std::ptrdiff_t>(t * width);
    rows.emplace_back(from, from + length);
  }
  return rows;
}

}  // namespace

Golden make_golden(const QuantisedNetwork& network, const CodeFrames& frames, int few_frames,
                   int long_frames) {
  if (frames.empty()) throw DataError("golden vectors need at least one frame");
  Golden golden;
  Emulator emulator(network);
  for (std::size_t t = 0; t < frames.size() && t < static_cast<std::size_t>(long_frames); ++t) {
    if (t < static_cast<std::size_t>(few_frames)) {
      golden.input.push_back(frames[t]);
      emulator.trace([&](const std::string& name, const Emulator::Codes& codes) {
        golden.signals[name].push_back(codes);
      });
    } else {
      emulator.trace(nullptr);
    }
    golden.long_input.push_back(frames[t]);
    golden.logits.push_back(emulator.step(frames[t]));
  }
  return golden;
}

CodeFrames random_frames(const QuantisedNetwork& network, int frames, std::uint32_t seed) {
  const auto inputs = static_cast<std::size_t>(network.inputs());
  const auto quarter = static_cast<std::uint32_t>((network.input_format().largest() + 1) / 4);
  std::mt19937 random(seed);  // its sequence is fixed by the standard, distributions are not
  CodeFrames result(static_cast<std::size_t>(frames), std::vector<std::int32_t>(inputs));
  for (auto& frame : result) {
    for (auto& code : frame) {
      std::int64_t sum = 0;
      for (int i = 0; i < 4; ++i) sum += random() % (2 * quarter + 1);
      code = static_cast<std::int32_t>(sum - 4 * static_cast<std::int64_t>(quarter));
      code =
          static_cast<std::int32_t>(std::min<std::int64_t>(code, network.input_format().largest()));
    }
  }
  return result;
}

void write_artefact(const Artefact& artefact, const Golden& golden, const fs::path& folder) {
  const fs::path place = folder.has_filename() ? folder : folder.parent_path();
  check_place(place);
  fs::path part = place;
  part += ".part";
  std::error_code ignored;
  fs::remove_all(part, ignored);
  try {
    as_data_errors(part.string(), [&] {
      FolderWriter writer(part);
      write_files(writer, artefact.network, golden);
      write_hls_project(artefact.network, part / "hls");
      writer.note_folder("hls");
      writer.write(kManifest, manifest_text(artefact, golden, writer));
      write_file(part / kSums, writer.sums());
      take_place(part, place);
    });
  } catch (...) {
    fs::remove_all(part, ignored);
    throw;
  }
}

Artefact load_artefact(const fs::path& folder) {
  const std::string place = (folder / kManifest).string();
  return as_data_errors(place, [&] {
    const Json manifest = read_manifest(folder);
    check_hashes(folder, manifest);
    Artefact artefact;
    artefact.network = get_network(manifest, place);
    read_arrays(artefact.network, folder);
    try {
      check_accumulators(artefact.network);
    } catch (const UsageError& error) {
      throw DataError(fmt::format("{}: {}", place, error.what()));
    }
    artefact.classes = manifest.at("classes").get<std::vector<std::string>>();
    artefact.context = manifest.at("context").dump();
    artefact.provenance = manifest.at("provenance").dump();
    return artefact;
  });
}

Golden load_golden(const fs::path& folder, const QuantisedNetwork& network) {
  return as_data_errors((folder / kManifest).string(), [&] {
    const Json manifest = read_manifest(folder);
    const auto few = manifest.at("golden").at("frames").get<std::size_t>();
    const auto many = manifest.at("golden").at("long_frames").get<std::size_t>();
    const fs::path at = folder / "golden";
    Golden golden;
    golden.input = read_frames(at / "input.npy", few, network.inputs(), network.input_format());
    for (const TracedSignal& signal : traced_signals(network)) {
      golden.signals[signal.name] =
          read_frames(at / (signal.name + ".npy"), few, signal.length, signal.format);
    }
    golden.long_input =
        read_frames(at / "long_input.npy", many, network.inputs(), network.input_format());
    golden.logits = read_frames(at / "logits.npy", many, network.outputs(), network.logit_format());
    return golden;
  });
}

}  // namespace ernn
