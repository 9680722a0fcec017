// Writes the test networks' artefacts, whose testbenches are then compiled: make_projects FOLDER
//
// Three are there again with folds and several streams, one of them also with rows at a time that
// do not divide the rows. Beside them it writes wrong ones: a ROM with one wrong code, gates in the
// wrong order, a frame of a delay line too late, and folds that do not suit with faults in the
// scripts for Vitis.
#include <array>
#include <cstdio>
#include <filesystem>
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

/// A small network for the wrong ones.
ModelOptions small_model() {
  return project_model(8, 5, {gru_layer(8, GruReset::before, {4, 4, 1})}, 1);
}

void write_all(const std::filesystem::path& folder) {
  unsigned seed = 20;
  for (const NamedModel& model : project_models()) {
    ++seed;
    const int bits = std::array{6, 10, 12}[seed % 3];
    write_project(model.options, seed, bits, folder / model.name);
    if (model.name == "large" || model.name == "gru" || model.name == "tdnn") {
      write_project(model.options, seed, bits, folder / ("folded_" + model.name),
                    busy_folding(model.options));
    }
    if (model.name == "large") {
      write_project(model.options, seed, bits, folder / ("uneven_" + model.name),
                    uneven_folding(model.options));
    }
  }
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
               "a.at(0, i), u.at(0, i), weights, 0, unit",
               "a.at(1, i), u.at(0, i), weights, 0, unit");

  write_project(
      project_model(8, 5, {joining(feedforward_layer(8, Activation::relu, 4), {-2, 0})}, 1), 5, 12,
      folder / "wrong_delay");
  replace_once(folder / "wrong_delay" / "hls" / "config.h", "frames[] = {2, 0}",
               "frames[] = {1, 0}");

  write_project(small_model(), 5, 12, folder / "wrong_fold");
  const std::filesystem::path wrong = folder / "wrong_fold" / "hls";
  replace_once(wrong / "config.h", "rows_parallel = 1;", "rows_parallel = 7;");
  // Of the output layer: compilers may stop at a structure's first fault.
  replace_once(wrong / "config.h",
               "inverses_parallel = 1;  // a power of two that divides rows_parallel and 5",
               "inverses_parallel = 3;");
  replace_once(wrong / "config.h", "kStreams = 1;", "kStreams = 40;");
  replace_once(wrong / "run_hls.tcl", "{ csynth_design }", "{ csynth_design -fast }");
  replace_once(wrong / "hls_config.cfg", "tb.file=testbench/main.cpp",
               "tb.file=testbench/none.cpp");
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
