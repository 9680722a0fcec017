#include "export/artefact_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  artefact.classes = {"aa", "b", "h#"};
  artefact.provenance = R"({"seed":5,"stage":"k8"})";
  return artefact;
}

void write_some(const fs::path& folder, const Artefact& artefact) {
  const Golden golden = make_golden(artefact.network, random_frames(artefact.network, 6, 9), 2, 6);
  write_artefact(artefact, golden, folder);
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
    EXPECT_FALSE(fs::exists(temporary.path() / "artefact.part"));
    EXPECT_FALSE(fs::exists(temporary.path() / "artefact.old"));
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
  EXPECT_THAT(load_error(folder), HasSubstr("so it is no artefact"));
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
  EXPECT_THAT(edited(R"([{"op":"remove","path":"/layers/0/tables/tanh"}])"_json),
              HasSubstr("manifest.json"));
  EXPECT_THAT(edited(R"([{"op":"replace","path":"/layers/0/matrices/1/block","value":8}])"_json),
              HasSubstr("does not suit the model, which has 'layers.0.recurrent'"));
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
  EXPECT_FALSE(fs::exists(temporary.path() / "artefact.part"));
  second.context = "{}";
  write_some(folder, second);
  expect_equal(load_artefact(folder).network, second.network);

  const fs::path other = temporary.path() / "thesis";
  make_folder(other);
  put(other / "chapter1.tex", "words");
  EXPECT_THROW(write_some(other, second), DataError);
  EXPECT_EQ(read_file(other / "chapter1.tex"), "words");
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
