// Writes the test networks' artefacts, whose testbenches are then compiled: make_projects FOLDER
//
// The largest is there again with folds. Beside them it writes wrong ones: a ROM with one wrong
// code, gates in the wrong order, and a fold that does not divide.
#include <cstdio>
#include <filesystem>
#include <regex>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "tests/hls/test_projects.h"

namespace {

using namespace ernn;

void replace_once(const std::filesystem::path& path, const std::string& from,
                  const std::string& to) {
  std::string text = read_file(path);
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw DataError(path.string() + ": no '" + from + "' to replace");
  text.replace(at, from.size(), to);
  write_file(path, text);
}

/// Doubles every fold that two divides, as a user would edit the configuration.
void fold_by_two(const std::filesystem::path& config) {
  const std::regex fold(
      "(rows_parallel|cols_parallel|units_parallel) = 1;( +// divides [0-9]+: 1, 2)");
  const std::string text = read_file(config);
  const std::string folded = std::regex_replace(text, fold, "$1 = 2;$2");
  if (folded == text) throw DataError(config.string() + ": no fold to double");
  write_file(config, folded);
}

/// A small network for the wrong ones.
ModelOptions small_model() {
  return project_model(8, 5, {gru_layer(8, GruReset::before, {4, 4, 1})}, 1);
}

void write_all(const std::filesystem::path& folder) {
  unsigned seed = 20;
  for (const NamedModel& model : project_models()) {
    ++seed;
    write_project(model.options, seed, seed % 2 == 0 ? 12 : 10, folder / model.name);
  }
  std::filesystem::copy(folder / "large", folder / "folded",
                        std::filesystem::copy_options::recursive);
  fold_by_two(folder / "folded" / "hls" / "config.h");
  const QuantisedNetwork network = write_project(small_model(), 5, 12, folder / "wrong_rom");
  const auto& codes = network.layers.front().matrices[2].codes;
  const std::string last = "," + std::to_string(codes.back()) + "}";
  const std::filesystem::path rom = folder / "wrong_rom" / "hls" / "weights.h";
  std::string text = read_file(rom);
  const std::size_t matrix = text.find("// layers.0.candidate");
  const std::size_t end = text.find("// bias", matrix);
  const std::size_t at = text.rfind(last, end);
  text.replace(at, last.size(), "," + std::to_string(codes.back() + 1) + "}");
  write_file(rom, text);

  write_project(small_model(), 5, 12, folder / "wrong_gates");
  // z and r change places in the input product.
  replace_once(folder / "wrong_gates" / "hls" / "kernel" / "gru.h",
               "element(a, i), element(u, i), weights, 0, i",
               "element(a, j), element(u, i), weights, 0, i");

  write_project(small_model(), 5, 12, folder / "wrong_fold");
  replace_once(folder / "wrong_fold" / "hls" / "config.h", "rows_parallel = 1;",
               "rows_parallel = 5;");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_projects FOLDER\n");
    return 2;
  }
  try {
    write_all(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_projects: %s\n", error.what());
    return 1;
  }
  return 0;
}
