// Writes what scripts/rtl proves: make_rtl_cases FOLDER
// or the same functions for the host (host_check.h), into one folder: make_rtl_cases --host FOLDER
//
// FOLDER/datapath/NAME and FOLDER/models/NAME each get function.cpp (what Bambu turns into
// Verilog), the generated configuration it includes, vectors.txt (inputs and the emulator's
// results), bench_case.h (sizes for the bench) and fields (a result's first members, as JSON).
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "export/emulator.h"
#include "export/hls_project.h"
#include "tests/hls/test_projects.h"
#include "tests/rtl/bit_word.h"
#include "tests/rtl/datapath_cases.h"

namespace {

using namespace ernn;
using namespace ernn::rtl;
namespace fs = std::filesystem;

constexpr int kBits = 12;
constexpr unsigned kSeed = 7;
constexpr std::size_t kDatapathVectors = 3000;
constexpr int kFewFrames = 48, kManyFrames = 1000;  ///< of a large network, of a small one
constexpr int kLarge = 256;                         ///< units
constexpr int kModelFrames = 12;

QuantisedNetwork network_of(const ModelOptions& options) {
  return quantise_at(random_network(options, kSeed, 1.5),
                     random_utterances(kProjectUtterances, kProjectFrames, options.inputs, kSeed),
                     kBits);
}

void write_file_in(const fs::path& folder, const std::string& name, const std::string& text) {
  fs::create_directories(folder);
  write_file(folder / name, text);
}

std::string lines_text(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

/// A small network that has every function: LSTM with and without peepholes, GRU with both resets,
/// outputs with and without a table. The arguments are the block sizes of the second LSTM and the
/// second GRU.
ModelOptions every_function(int lstm_k, int gru_k) {
  LayerOptions plain = lstm_layer(32, 0, {4, 4, 1});
  plain.peepholes = false;
  return project_model(16, 32,
                       {plain, lstm_layer(32, 16, {lstm_k, lstm_k, lstm_k}),
                        gru_layer(32, GruReset::after, {4, 4, 4}),
                        gru_layer(32, GruReset::before, {gru_k, gru_k, gru_k}),
                        feedforward_layer(16, Activation::sigmoid, 4)},
                       4);
}

/// The layers of the published designs, whose widths `ernn estimate` asks for, a small block size,
/// and the other kinds of cells and outputs.
std::vector<NamedModel> datapath_models() {
  const auto lstm = [](int k) {
    return project_model(153, 62, {lstm_layer(1024, 512, {k, k, k})}, k);
  };
  const auto gru = [](int k) {
    return project_model(153, 62, {gru_layer(1024, GruReset::before, {k, k, k})}, k);
  };
  return {{"lstm_k16", lstm(16)},
          {"lstm_k8", lstm(8)},
          {"gru_k16", gru(16)},
          {"gru_k8", gru(8)},
          {"small", every_function(4, 4)}};
}

std::string widths_json(const std::map<std::string, int>& widths) {
  std::string text;
  for (const auto& [name, bits] : widths)
    text += fmt::format("{}\"{}\": {}", text.empty() ? "" : ", ", name, bits);
  return "{" + text + "}";
}

void write_datapath_case(const DatapathCase& one, const QuantisedNetwork& network,
                         const fs::path& folder) {
  for (const GeneratedFile& file : generate_hls_files(network, {})) {
    if (file.name == "config.h" || file.name == "tables.h")
      write_file_in(folder, file.name, file.text);
  }
  write_file_in(folder, "function.cpp",
                fmt::format("// {0}: {1} bits in, {2} bits out.\n"
                            "#include \"config.h\"\n"
                            "#include \"parts.h\"\n\n"
                            "typedef ernn::rtl::{3} Function;\n\n"
                            "#pragma HLS pipeline II=1\n"
                            "extern \"C\" unsigned long long rtl_top(ap_uint<{1}> word, unsigned "
                            "char part) {{\n"
                            "  return ernn::rtl::part_of<Function>(word, part);\n"
                            "}}\n",
                            one.name, one.input_bits, one.output_bits, one.type));
  write_file_in(folder, "vectors.txt", lines_text(one.lines));
  write_file_in(folder, "bench_case.h",
                fmt::format("constexpr int kInputBits = {};\nconstexpr int kOutputBits = {};\n"
                            "constexpr bool kPipelined = true;\n",
                            one.input_bits, one.output_bits));
  write_file_in(folder, "fields",
                fmt::format("\"name\": \"{}\", \"function\": \"{}\", \"k\": {}, \"widths\": {}",
                            one.name, one.function, one.k, widths_json(one.widths)));
}

void write_datapaths(const fs::path& folder) {
  std::set<std::string> written;
  for (const NamedModel& model : datapath_models()) {
    const QuantisedNetwork network = network_of(model.options);
    const int count = model.options.layers.front().size >= kLarge ? kFewFrames : kManyFrames;
    const auto frames = proof_frames(network, count, kSeed);
    for (const DatapathCase& one : datapath_cases(network, frames, kDatapathVectors)) {
      if (written.insert(one.name).second) write_datapath_case(one, network, folder / one.name);
    }
  }
}

/// The program that checks every_function() on the host, with its vectors.
void write_host_check(const fs::path& folder) {
  const QuantisedNetwork network = network_of(every_function(8, 16));
  std::string calls;
  for (const DatapathCase& one :
       datapath_cases(network, proof_frames(network, kManyFrames, kSeed), kDatapathVectors)) {
    write_file_in(folder, one.name + ".txt", lines_text(one.lines));
    calls += fmt::format("  good &= ernn::rtl::check<ernn::rtl::{}>(argv[1], \"{}\");\n", one.type,
                         one.name);
  }
  for (const GeneratedFile& file : generate_hls_files(network, {})) {
    if (file.name == "config.h" || file.name == "tables.h")
      write_file_in(folder, file.name, file.text);
  }
  write_file_in(folder, "check.cpp",
                fmt::format("#include \"config.h\"\n#include \"host_check.h\"\n\n"
                            "int main(int argc, char** argv) {{\n  if (argc != 2) return 2;\n"
                            "  bool good = true;\n{}  return good ? 0 : 1;\n}}\n",
                            calls));
}

struct ModelCase {
  std::string name;
  ModelOptions options;
  int k = 1;
  int streams = 1;
};

/// Small networks, as whole ones are not pipelined and take a simulator long.
std::vector<ModelCase> model_cases() {
  std::vector<ModelCase> cases;
  for (const int k : {4, 8, 16}) {
    const LayerOptions lstm = lstm_layer(16, 16, {k, k, k});
    const LayerOptions gru = gru_layer(16, GruReset::before, {k, k, k});
    for (const int streams : {1, 2}) {
      cases.push_back({fmt::format("lstm_k{}_streams{}", k, streams),
                       project_model(16, 8, {lstm}, k == 16 ? 8 : k), k, streams});
      cases.push_back({fmt::format("gru_k{}_streams{}", k, streams),
                       project_model(16, 8, {gru}, k == 16 ? 8 : k), k, streams});
    }
  }
  cases.push_back(
      {"lstm_gru_k8_streams1",
       project_model(16, 8,
                     {lstm_layer(32, 16, {8, 8, 8}), gru_layer(16, GruReset::after, {8, 8, 8})}, 8),
       8, 1});
  return cases;
}

/// Frames of every stream and their logits by the emulator; each stream has frames of its own. All
/// begin anew at the first frame and in the middle.
std::vector<std::string> model_lines(const QuantisedNetwork& network, int streams) {
  std::vector<Emulator> emulators;
  std::vector<std::vector<std::vector<std::int32_t>>> frames;
  for (int s = 0; s < streams; ++s) {
    emulators.emplace_back(network);
    frames.push_back(proof_frames(network, kModelFrames, kSeed + static_cast<unsigned>(s)));
  }
  std::vector<std::string> lines;
  for (std::size_t t = 0; t < kModelFrames; ++t) {
    const bool begins = t == 0 || t == kModelFrames / 2;
    BitWord in, out;
    for (std::size_t s = 0; s < emulators.size(); ++s) {
      if (begins) emulators[s].reset();
      for (const std::int32_t code : frames[s][t]) in.put(code, network.input_format().width);
      for (const std::int32_t code : emulators[s].step(frames[s][t])) out.put(code, 64);
    }
    lines.push_back(in.hex() + " " + out.hex() + (begins ? " reset" : ""));
  }
  return lines;
}

void write_model_case(const ModelCase& one, const fs::path& folder) {
  const QuantisedNetwork network = network_of(one.options);
  Folding folding = unfolded(one.options);
  folding.streams = one.streams;
  for (const GeneratedFile& file : generate_hls_files(network, folding)) {
    if (file.name == "config.h" || file.name == "tables.h" || file.name == "model.h" ||
        file.name == "weights.h")
      write_file_in(folder, file.name, file.text);
  }
  const int input_bits = one.streams * network.inputs() * network.input_format().width;
  const int output_bits = one.streams * network.outputs() * 64;
  write_file_in(folder, "function.cpp",
                fmt::format("// {0}: a frame of every stream.\n"
                            "#include \"model.h\"\n"
                            "#include \"weights.h\"\n"
                            "#include \"model_function.h\"\n\n"
                            "static ernn::rtl::ModelMemory<{1}> memory;\n\n"
                            "extern \"C\" unsigned long long rtl_top(ap_uint<{2}> word, unsigned "
                            "char part) {{\n"
                            "  return ernn::rtl::run_command<{1}>(word, part, memory);\n"
                            "}}\n",
                            one.name, one.streams, input_bits));
  write_file_in(folder, "vectors.txt", lines_text(model_lines(network, one.streams)));
  write_file_in(folder, "bench_case.h",
                fmt::format("constexpr int kInputBits = {};\nconstexpr int kOutputBits = {};\n"
                            "constexpr bool kPipelined = false;\n",
                            input_bits, output_bits));
  write_file_in(folder, "fields", fmt::format("\"name\": \"{}\", \"k\": {}", one.name, one.k));
}

}  // namespace

int main(int argc, char** argv) {
  const bool host = argc == 3 && std::string(argv[1]) == "--host";
  if (argc != 2 && !host) {
    std::fprintf(stderr, "usage: make_rtl_cases [--host] FOLDER\n");
    return 2;
  }
  try {
    const fs::path folder = argv[argc - 1];
    if (host) {
      write_host_check(folder);
      return 0;
    }
    write_datapaths(folder / "datapath");
    for (const ModelCase& one : model_cases()) write_model_case(one, folder / "models" / one.name);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_rtl_cases: %s\n", error.what());
    return 1;
  }
  return 0;
}
