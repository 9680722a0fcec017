#include "export/artefact.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "export/accumulators.h"
#include "export/artefact_files.h"
#include "export/manifest.h"
#include "export/signals.h"
#include "hls/io/npy.h"
#include "hls/io/sha256.h"

namespace ernn {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Json read_manifest(const fs::path& folder) {
  const std::string path = (folder / kManifestFile).string();
  Json manifest = Json::parse(read_file(path));
  if (const Json kind = kind_of(manifest); kind != kArtefactKind) {
    throw DataError(fmt::format("{}: its \"kind\" is {}, expected \"{}\", so it is no artefact",
                                path, kind.dump(), kArtefactKind));
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
  const std::string sums = (folder / kSumsFile).string();
  std::map<std::string, std::string> listed;
  for (const hls::HashedFile& file : hls::check_sha256sums(folder.string()))
    listed[file.name] = file.hash;
  if (listed.erase(kManifestFile) == 0)
    throw DataError(fmt::format("{}: does not list {}", sums, kManifestFile));
  for (const Json& file : manifest.at("files")) {
    const std::string name = file.at("name").get<std::string>();
    const auto found = listed.find(name);
    if (found == listed.end() || found->second != file.at("sha256").get<std::string>()) {
      throw DataError(fmt::format("{}: does not list {} with the hash that {} gives", sums, name,
                                  kManifestFile));
    }
    listed.erase(found);
  }
  if (!listed.empty()) {
    throw DataError(fmt::format("{}: lists {}, which {} does not know", sums, listed.begin()->first,
                                kManifestFile));
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
    for (std::size_t i = 0; i < segments; ++i) {
      const std::int64_t end = std::int64_t{values[i]} + values[segments + i];
      if (end <= one) continue;
      throw DataError(
          fmt::format("{}: segment {} ends at {}, base and slope together, expected at "
                      "most {}, which is 1.0",
                      (folder / file.name).string(), i, end, one));
    }
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

Artefact load_artefact(const fs::path& folder) {
  const std::string place = (folder / kManifestFile).string();
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
    const auto outputs = static_cast<std::size_t>(artefact.network.outputs());
    if (!artefact.classes.empty() && artefact.classes.size() != outputs) {
      throw DataError(
          fmt::format("{}: lists {} classes, expected the names of all {} outputs, or none", place,
                      artefact.classes.size(), outputs));
    }
    artefact.context = manifest.at("context").dump();
    artefact.provenance = manifest.at("provenance").dump();
    return artefact;
  });
}

Golden load_golden(const fs::path& folder, const QuantisedNetwork& network) {
  return as_data_errors((folder / kManifestFile).string(), [&] {
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
