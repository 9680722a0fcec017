#include "export/artefact_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>
#include <system_error>

#include "base/error.h"
#include "base/files.h"
#include "export/artefact_files.h"
#include "export/emulator.h"
#include "export/hls_project.h"
#include "export/manifest.h"
#include "export/signals.h"
#include "hls/io/npy.h"
#include "hls/io/sha256.h"

namespace ernn {

namespace {

namespace fs = std::filesystem;
using OrderedJson = nlohmann::ordered_json;

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
  manifest["kind"] = kArtefactKind;
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

/// A folder beside an artefact's place: the new artefact is written in it, and the old one goes
/// there before it is removed. Its name is made anew, so that all in it is ours and nothing else is
/// ever removed.
class Workplace {
 public:
  explicit Workplace(const fs::path& place) : place_(place) {
    if (place.has_parent_path()) make_folder(place.parent_path());
    const std::string name = fmt::format(".{}.export-XXXXXX", place.filename().string());
    std::string pattern = (place.parent_path() / name).string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw DataError(
          fmt::format("{}: cannot be written: {}", place.string(), std::strerror(errno)));
    }
    folder_ = pattern;
  }
  /// An old artefact that could not be put back stays, and the folder with it.
  ~Workplace() {
    std::error_code ignored;
    fs::remove_all(part(), ignored);
    fs::remove(folder_, ignored);
  }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;

  fs::path part() const { return folder_ / "new"; }

  /// Puts part() in its place.
  void take_place() const {
    const fs::path old = folder_ / "old";
    std::error_code error;
    const bool replaces = fs::exists(place_, error);
    if (replaces) fs::rename(place_, old, error);
    if (!error) fs::rename(part(), place_, error);
    std::error_code ignored;
    if (!error) {
      fs::remove_all(old, ignored);
      return;
    }
    std::string message =
        fmt::format("{}: cannot be put in place: {}", place_.string(), error.message());
    fs::rename(old, place_, ignored);
    if (fs::exists(old, ignored)) message += fmt::format("; the earlier one is {}", old.string());
    throw DataError(message);
  }

 private:
  fs::path place_;
  fs::path folder_;
};

bool is_artefact(const fs::path& folder) {
  std::error_code error;
  const fs::path manifest = folder / kManifestFile;
  if (!fs::is_regular_file(manifest, error)) return false;
  return kind_of(nlohmann::json::parse(read_file(manifest), nullptr, false)) == kArtefactKind;
}

void check_place(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return;
  if (fs::is_directory(folder, error) && fs::is_empty(folder, error)) return;
  if (is_artefact(folder)) return;
  throw DataError(
      fmt::format("{}: exists and has no {} of the kind \"{}\", so it is no artefact and is not "
                  "replaced; remove it or give another --out",
                  folder.string(), kManifestFile, kArtefactKind));
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

void write_artefact(const Artefact& artefact, const Golden& golden, const fs::path& folder,
                    const Folding& folding) {
  const fs::path place = folder.has_filename() ? folder : folder.parent_path();
  check_place(place);
  as_data_errors(place.string(), [&] {
    const Workplace work(place);
    const fs::path part = work.part();
    FolderWriter writer(part);
    write_files(writer, artefact.network, golden);
    write_hls_project(artefact.network, folding, part / "hls");
    writer.note_folder("hls");
    writer.write(kManifestFile, manifest_text(artefact, golden, writer));
    write_file(part / kSumsFile, writer.sums());
    work.take_place();
  });
}

}  // namespace ernn
