#include "export/artefact_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <clocale>
#include <filesystem>
#include <fstream>
#include <locale>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "export/emulator.h"
#include "export/manifest.h"
#include "export/signals.h"
#include "hls/io/npy.h"
#include "hls/io/sha256.h"
#include "tests/export/random_network.h"
#include "tests/support/temporary_folder.h"

namespace ernn {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Without write_file's flush to the disk, which hundreds of edits would wait for.
void put(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

Artefact some_artefact(const NamedModel& model, unsigned seed = 5) {
  Artefact artefact;
  artefact.network =
      quantise_at(random_network(model.options, seed), random_utterances(1, 20, 13, seed), 12);
  artefact.context = R"({"label_delay":3,"mean":[0.1,-2.5e-17]})";
  artefact.classes = {"aa", "b", "ch", "d", "eh", "f", "g", "h#", "ih", "jh", "k"};
  artefact.provenance = R"({"seed":5,"stage":"k8"})";
  return artefact;
}

void write_some(const fs::path& folder, const Artefact& artefact) {
  const Golden golden = make_golden(artefact.network, random_frames(artefact.network, 6, 9), 2, 6);
  write_artefact(artefact, golden, folder);
}

/// What is in a folder, by name.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::string load_error(const fs::path& folder) {
  try {
    load_artefact(folder);
  } catch (const DataError& error) {
    return error.what();
  }
  return "accepted";
}

/// Recomputes SHA256SUMS and the manifest's hashes, as somebody who edits an artefact would.
void rehash(const fs::path& folder) {
  auto manifest = nlohmann::json::parse(read_file(folder / "manifest.json"));
  std::string sums;
  for (auto& file : manifest["files"]) {
    const std::string name = file["name"];
    file["sha256"] = hls::sha256_file((folder / name).string());
    sums += file["sha256"].get<std::string>() + "  " + name + "\n";
  }
  put(folder / "manifest.json", manifest.dump());
  sums += hls::sha256_file((folder / "manifest.json").string()) + "  manifest.json\n";
  put(folder / "SHA256SUMS", sums);
}

void edit_manifest(const fs::path& folder, const nlohmann::json& patch) {
  auto manifest = nlohmann::json::parse(read_file(folder / "manifest.json"));
  put(folder / "manifest.json", manifest.patch(patch).dump());
  rehash(folder);
}

void expect_equal(const QuantisedNetwork& a, const QuantisedNetwork& b) {
  ASSERT_EQ(a.layers.size(), b.layers.size());
  const auto signals_a = traced_signals(a);
  const auto signals_b = traced_signals(b);
  ASSERT_EQ(signals_a.size(), signals_b.size());
  for (std::size_t i = 0; i < signals_a.size(); ++i) {
    EXPECT_EQ(signals_a[i].name, signals_b[i].name);
    EXPECT_EQ(signals_a[i].format, signals_b[i].format) << signals_a[i].name;
  }
  for (std::size_t l = 0; l < a.layers.size(); ++l) {
    const QuantisedLayer& x = a.layers[l];
    const QuantisedLayer& y = b.layers[l];
    EXPECT_EQ(x.name, y.name);
    EXPECT_EQ(x.input, y.input);
    EXPECT_EQ(x.bias, y.bias);
    EXPECT_EQ(x.peephole, y.peephole);
    EXPECT_EQ(x.bias_codes, y.bias_codes);
    EXPECT_EQ(x.candidate_bias_codes, y.candidate_bias_codes);
    EXPECT_EQ(x.peephole_codes, y.peephole_codes);
    EXPECT_EQ(x.cell_clip_code, y.cell_clip_code);
    EXPECT_EQ(x.sigmoid.base, y.sigmoid.base);
    EXPECT_EQ(x.sigmoid.slope, y.sigmoid.slope);
    EXPECT_EQ(x.sigmoid.last, y.sigmoid.last);
    EXPECT_EQ(x.tanh.base, y.tanh.base);
    EXPECT_EQ(x.tanh.range_log2, y.tanh.range_log2);
    ASSERT_EQ(x.matrices.size(), y.matrices.size());
    for (std::size_t m = 0; m < x.matrices.size(); ++m) {
      EXPECT_EQ(x.matrices[m].weight, y.matrices[m].weight);
      EXPECT_EQ(x.matrices[m].codes, y.matrices[m].codes);
    }
  }
}

TEST(Artefact, RoundTripOfEveryKind) {
  const TemporaryFolder temporary;
  for (const NamedModel& model : every_kind_of_model()) {
    const fs::path folder = temporary.path() / "artefact";
    const Artefact artefact = some_artefact(model);
    write_some(folder, artefact);
    const Artefact back = load_artefact(folder);
    expect_equal(artefact.network, back.network);
    EXPECT_EQ(nlohmann::json::parse(back.context), nlohmann::json::parse(artefact.context));
    EXPECT_EQ(nlohmann::json::parse(back.provenance), nlohmann::json::parse(artefact.provenance));
    EXPECT_EQ(back.classes, artefact.classes);
    EXPECT_THAT(names_in(temporary.path()), ElementsAre("artefact"));
  }
}

TEST(Artefact, GoldenVectorsAreWhatTheLoadedNetworkComputes) {
  const TemporaryFolder temporary;
  const fs::path folder = temporary.path() / "artefact";
  write_some(folder, some_artefact(every_kind_of_model().back()));
  const Artefact artefact = load_artefact(folder);
  const Golden golden = load_golden(folder, artefact.network);
  ASSERT_EQ(golden.input.size(), 2U);
  ASSERT_EQ(golden.logits.size(), 6U);
  Emulator emulator(artefact.network);
  for (std::size_t t = 0; t < golden.long_input.size(); ++t) {
    emulator.trace([&](const std::string& name, const Emulator::Codes& codes) {
      if (t >= golden.input.size()) return;
      EXPECT_EQ(golden.signals.at(name).at(t), codes) << name;
    });
    EXPECT_EQ(emulator.step(golden.long_input[t]), golden.logits[t]);
  }
  EXPECT_EQ(golden.signals.size(), traced_signals(artefact.network).size());
}

TEST(Artefact, AFlippedBitInAnyFileIsFoundAndNamed) {
  const TemporaryFolder temporary;
  const fs::path folder = temporary.path() / "artefact";
  write_some(folder, some_artefact(every_kind_of_model()[2]));
  ASSERT_EQ(load_error(folder), "accepted");
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    ++files;
    const std::string whole = read_file(entry.path());
    for (const std::size_t place : {std::size_t{0}, whole.size() / 2, whole.size() - 1}) {
      std::string broken = whole;
      broken[place] = static_cast<char>(broken[place] ^ 1);
      put(entry.path(), broken);
      // A broken list of hashes may blame the file whose line is broken.
      const std::string name =
          entry.path().filename() == "SHA256SUMS" ? folder.string() : entry.path().string();
      EXPECT_THAT(load_error(folder), HasSubstr(name)) << place;
    }
    fs::remove(entry.path());
    EXPECT_THAT(load_error(folder), HasSubstr(entry.path().string()));
    put(entry.path(), whole);
  }
  EXPECT_GT(files, 30);
  EXPECT_EQ(load_error(folder), "accepted");
}

TEST(Artefact, EveryLineOfTheHashListMatters) {
  const TemporaryFolder temporary;
  const fs::path folder = temporary.path() / "artefact";
  write_some(folder, some_artefact(every_kind_of_model()[0]));
  const std::string whole = read_file(folder / "SHA256SUMS");
  for (std::size_t at = 0; at < whole.size(); at = whole.find('\n', at) + 1) {
    std::string shorter = whole;
    shorter.erase(at, whole.find('\n', at) + 1 - at);
    put(folder / "SHA256SUMS", shorter);
    EXPECT_THAT(load_error(folder), HasSubstr("SHA256SUMS: does not list ")) << at;
  }
  put(folder / "SHA256SUMS", whole + hls::sha256_hex("") + "  ../artefact/golden/../SHA256SUMS\n");
  EXPECT_NE(load_error(folder), "accepted");
}

TEST(Artefact, UnknownVersionsAndOtherFoldersAreRefused) {
  const TemporaryFolder temporary;
  const fs::path folder = temporary.path() / "artefact";
  write_some(folder, some_artefact(every_kind_of_model()[0]));
  edit_manifest(folder, R"([{"op":"replace","path":"/format_version","value":2}])"_json);
  EXPECT_THAT(load_error(folder),
              HasSubstr("manifest.json: has format_version 2, this program reads version 1"));
  edit_manifest(folder, R"([{"op":"replace","path":"/kind","value":"cake"}])"_json);
  EXPECT_THAT(load_error(folder), HasSubstr("its \"kind\" is \"cake\", expected \"ernn artefact\", "
                                            "so it is no artefact"));
  put(folder / "manifest.json", "[]");
  EXPECT_THAT(load_error(folder), HasSubstr("its \"kind\" is null, expected"));
  put(folder / "manifest.json", "{");
  EXPECT_THAT(load_error(folder), HasSubstr("manifest.json"));
  EXPECT_THAT(load_error(temporary.path() / "nowhere"), HasSubstr("nowhere/manifest.json"));
}

TEST(Artefact, ConsistentHashesDoNotHideWrongContent) {
  const TemporaryFolder temporary;
  const fs::path folder = temporary.path() / "artefact";
  const fs::path pristine = temporary.path() / "pristine";
  write_some(pristine, some_artefact(every_kind_of_model()[2]));
  const auto renew = [&] {
    fs::remove_all(folder);
    fs::copy(pristine, folder, fs::copy_options::recursive);
  };
  const auto broken = [&](const std::string& name, const std::string& bytes) {
    renew();
    put(folder / name, bytes);
    rehash(folder);
    return load_error(folder);
  };
  const std::string bias = "codes/layers.0.bias.npy";
  EXPECT_THAT(broken(bias, hls::npy_bytes<int>({3}, {1, 2, 3})),
              HasSubstr(bias + ": has shape (3,), expected (128,)"));
  EXPECT_THAT(broken(bias, hls::npy_bytes<int>({128}, std::vector<int>(128, 5000))),
              HasSubstr(bias + ": element 0 is 5000, expected a code from -2048 to 2047"));
  const std::string truncated = hls::npy_bytes<int>({128}, std::vector<int>(128, 5));
  EXPECT_THAT(broken(bias, truncated.substr(0, truncated.size() - 1)), HasSubstr(bias + ": has"));
  EXPECT_THAT(broken("tables/layers.0.tanh.npy", hls::npy_bytes<int>({2, 1}, {1, 2})),
              HasSubstr("tables/layers.0.tanh.npy: has shape (2, 1)"));
  const auto edited = [&](const nlohmann::json& patch) {
    renew();
    edit_manifest(folder, patch);
    return load_error(folder);
  };
  EXPECT_THAT(edited(R"([{"op":"replace","path":"/model/layers/0/size","value":40}])"_json),
              HasSubstr("manifest.json"));
  EXPECT_THAT(edited(R"([{"op":"replace","path":"/model/layers/0/block/input","value":3}])"_json),
              HasSubstr("block size 3"));
  EXPECT_THAT(edited(R"([{"op":"remove","path":"/layers/0/formats/cell"}])"_json),
              HasSubstr("manifest.json: layers.0: no format 'cell'"));
  EXPECT_THAT(edited(R"([{"op":"replace","path":"/layers/1/formats/input","value":[12,3]}])"_json),
              HasSubstr("layers.1 takes <12,3>, but the layer before gives"));
  EXPECT_THAT(edited(R"([{"op":"replace","path":"/layers/0/formats/gate","value":[80,1]}])"_json),
              HasSubstr("format 'gate' is [80,1]"));
  EXPECT_THAT(edited(R"([{"op":"replace","path":"/layers/0/inputs","value":12}])"_json),
              HasSubstr("layers.0: is \"layers.0\" with 12 inputs and 12 outputs, expected "
                        "\"layers.0\" with 13 and 12 as in the model"));
  EXPECT_THAT(edited(R"([{"op":"remove","path":"/layers/0/tables/tanh"}])"_json),
              HasSubstr("manifest.json"));
  EXPECT_THAT(edited(R"([{"op":"replace","path":"/layers/0/matrices/1/block","value":8}])"_json),
              HasSubstr("does not suit the model, which has 'layers.0.recurrent'"));
}

// Hashes are right and every file is there, but no exporter writes such numbers: shifts, entries of
// tables and results would leave the range that the formats promise.
TEST(Artefact, NumbersThatNoExporterWritesAreRefused) {
  const TemporaryFolder temporary;
  const fs::path folder = temporary.path() / "artefact";
  const std::string formats = "/layers/0/formats/";
  const std::string tables = "/layers/0/tables/";
  struct Case {
    int model;
    std::string path;
    nlohmann::json value;
    std::string message;
  };
  const std::string gate = "expected [width from 2 to 25, integer bits from 1 to 1]";
  const std::string any = "expected [width from 2 to 32, integer bits from -64 to 64]";
  const std::vector<Case> cases = {
      {2, formats + "gate", {12, 20}, "layers.0: format 'gate' is [12,20], " + gate},
      {2, formats + "gate", {12, -60}, "layers.0: format 'gate' is [12,-60], " + gate},
      {2, formats + "gate", {32, 1}, "layers.0: format 'gate' is [32,1], " + gate},
      {2, formats + "gate", {12, 0}, "layers.0: format 'gate' is [12,0], " + gate},
      {2, formats + "bias", {1, 1}, "layers.0: format 'bias' is [1,1], " + any},
      {2, formats + "bias", {12, 65}, "layers.0: format 'bias' is [12,65], " + any},
      {2, formats + "bias", {12, 4294967297}, "format 'bias' is [12,4294967297], " + any},
      {2, formats + "bias", {12.5, 1}, "layers.0: format 'bias' is [12.5,1], " + any},
      {2, formats + "bias", {12}, "layers.0: format 'bias' is [12], " + any},
      {2, tables + "tanh/last", -1,
       "layers.0: table 'tanh': 'last' is -1, expected an integer from 0 to 2048"},
      {2, tables + "sigmoid/last", 2049, "'last' is 2049, expected an integer from 0 to 2048"},
      {2, tables + "tanh/last", 4294967297, "'last' is 4294967297, expected"},
      {2, tables + "tanh/range_log2", 2147483647, "'range_log2' is 2147483647, expected"},
      {2, tables + "tanh/segments_log2", -1, "'segments_log2' is -1, expected"},
      {2, tables + "tanh/segments_log2", 20,
       "table 'tanh': 2^20 segments over [0, 2^2), which has"},
      {2, "/layers/0/cell_clip_code", -1,
       "layers.0: 'cell_clip_code' is -1, expected an integer from 0 to 32767"},
      {2, "/layers/0/cell_clip_code", 32768, "'cell_clip_code' is 32768, expected"},
      {2, "/layers/0/cell_clip_code", 0.75, "'cell_clip_code' is 0.75, expected"},
      {2,
       "/classes",
       {"aa", "b"},
       "manifest.json: lists 2 classes, expected the names of all 11 outputs, or none"},
      {7,
       "/layers/2/formats/output",
       {12, 3},
       "layers.2: format 'output' is <12,3>, expected that of 'gate', <12,1>"},
      {7,
       "/layers/3/formats/output",
       {11, 1},
       "layers.3: format 'output' is <11,1>, expected that of 'gate', <12,1>"},
  };
  int written = -1;
  const fs::path pristine = temporary.path() / "pristine";
  for (const Case& one : cases) {
    if (one.model != written)
      write_some(pristine,
                 some_artefact(every_kind_of_model()[static_cast<std::size_t>(one.model)]));
    written = one.model;
    fs::remove_all(folder);
    fs::copy(pristine, folder, fs::copy_options::recursive);
    const nlohmann::json edit = {{"op", "replace"}, {"path", one.path}, {"value", one.value}};
    edit_manifest(folder, nlohmann::json::array({edit}));
    EXPECT_THAT(load_error(folder), HasSubstr(one.message)) << one.path;
  }
}

TEST(Artefact, NoTableEntryExceedsOne) {
  const TemporaryFolder temporary;
  const fs::path folder = temporary.path() / "artefact";
  write_some(folder, some_artefact(every_kind_of_model()[2]));
  const fs::path file = folder / "tables/layers.0.tanh.npy";
  const hls::NpyArray table = hls::read_npy(file.string());
  const std::size_t segments = table.shape.at(1);
  const std::int64_t one = 1 << 17;  // 11 fraction bits of the gate and 6 more
  const auto with_first = [&](std::int64_t base, std::int64_t slope) {
    std::vector<std::int64_t> values = table.values;
    values[0] = base;
    values[segments] = slope;
    put(file, hls::npy_bytes(table.shape, values));
    rehash(folder);
    return load_error(folder);
  };
  EXPECT_EQ(with_first(one - 5, 5), "accepted");
  EXPECT_THAT(with_first(one - 5, 6), HasSubstr("layers.0.tanh.npy: segment 0 ends at 131073, base "
                                                "and slope together, expected at most 131072"));
  EXPECT_THAT(with_first(one + 1, 0), HasSubstr("element 0 is 131073, expected a code from 0 to"));
  EXPECT_THAT(with_first(0, -1), HasSubstr("is -1, expected a code from 0 to"));
}

TEST(Artefact, OnlyAnArtefactIsReplacedAndOnlyWhenTheNewOneIsWhole) {
  const TemporaryFolder temporary;
  const fs::path folder = temporary.path() / "artefact";
  const NamedModel model = every_kind_of_model()[0];
  const Artefact first = some_artefact(model, 5);
  write_some(folder, first);
  Artefact second = some_artefact(model, 6);
  second.context = "not JSON";
  EXPECT_THROW(write_some(folder, second), DataError);
  expect_equal(load_artefact(folder).network, first.network);
  EXPECT_THAT(names_in(temporary.path()), ElementsAre("artefact"));
  second.context = "{}";
  write_some(folder, second);
  expect_equal(load_artefact(folder).network, second.network);

  const fs::path other = temporary.path() / "thesis";
  make_folder(other);
  put(other / "chapter1.tex", "words");
  EXPECT_THROW(write_some(other, second), DataError);
  EXPECT_EQ(read_file(other / "chapter1.tex"), "words");
  // Other programs have a manifest.json too.
  for (const char* manifest : {R"({"manifest_version": 3})", R"({"kind": "cake"})", "[1]", "{"}) {
    put(other / "manifest.json", manifest);
    try {
      write_some(other, second);
      ADD_FAILURE() << manifest;
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), HasSubstr("thesis: exists and has no manifest.json of the kind "
                                          "\"ernn artefact\""));
    }
    EXPECT_EQ(read_file(other / "chapter1.tex"), "words");
  }
  EXPECT_THAT(names_in(temporary.path()), ElementsAre("artefact", "thesis"));
}

TEST(Artefact, NothingBesideAnArtefactIsTouched) {
  const TemporaryFolder temporary;
  const fs::path folder = temporary.path() / "artefact";
  const Artefact artefact = some_artefact(every_kind_of_model()[0]);
  for (const char* name : {"artefact.old", "artefact.part", ".artefact.export-1"}) {
    make_folder(temporary.path() / name);
    put(temporary.path() / name / "backup", "words");
  }
  write_some(folder, artefact);
  write_some(folder, artefact);
  for (const char* name : {"artefact.old", "artefact.part", ".artefact.export-1"})
    EXPECT_EQ(read_file(temporary.path() / name / "backup"), "words");
  EXPECT_THAT(names_in(temporary.path()),
              ElementsAre(".artefact.export-1", "artefact", "artefact.old", "artefact.part"));
}

TEST(Artefact, SameBytesInEveryLocale) {
  const TemporaryFolder temporary;
  const Artefact artefact = some_artefact(every_kind_of_model()[1]);
  write_some(temporary.path() / "plain", artefact);
  // Decimal comma where the machine has such a locale; the C++ streams' grouping is the other half.
  for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"}) {
    if (std::setlocale(LC_ALL, name) != nullptr) break;
  }
  struct Grouping : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };
  const std::locale before = std::locale::global(std::locale(std::locale(), new Grouping));
  write_some(temporary.path() / "grouped", some_artefact(every_kind_of_model()[1]));
  EXPECT_EQ(load_error(temporary.path() / "plain"), "accepted");
  std::locale::global(before);
  std::setlocale(LC_ALL, "C");
  for (const char* name : {"SHA256SUMS", "manifest.json"}) {
    EXPECT_EQ(read_file(temporary.path() / "plain" / name),
              read_file(temporary.path() / "grouped" / name));
  }
}

}  // namespace
}  // namespace ernn
