#include "export/hls_project.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/options.h"
#include "export/accumulators.h"
#include "export/artefact.h"
#include "export/hls_text.h"
#include "hls/embedded_files.h"

namespace ernn {
namespace {

using hls_text::class_name;
using hls_text::member_name;

constexpr const char* kTop = "ernn_top";
/// What the Vitis scripts ask for unless they are edited.
constexpr const char* kPart = "xcku060-ffva1156-2-e";
constexpr const char* kClockNs = "5";

const char* kind_prefix(const QuantisedLayer& layer) {
  switch (layer.options.type) {
    case LayerType::lstm:
      return "Lstm";
    case LayerType::gru:
      return "Gru";
    case LayerType::feedforward:
      break;
  }
  return "Feedforward";
}

/// The type of what a layer keeps between frames; nothing for a layer that keeps nothing.
std::string state_type(const QuantisedLayer& layer) {
  const std::string type = class_name(layer);
  if (layer.options.type != LayerType::feedforward)
    return fmt::format("kernel::{}State<{}>", kind_prefix(layer), type);
  return layer.options.joins_frames() ? fmt::format("kernel::DelayLine<{}>", type) : "";
}

/// What a layer reads: the first layer its own blocks, the others what the layer before hands on.
std::string input_transfer(const QuantisedNetwork& network, std::size_t layer) {
  const std::string name = class_name(network.layers[layer]);
  if (layer == 0) return fmt::format("kernel::Beat<{0}Input::Input, {0}Input::block>", name);
  const QuantisedLayer& before = network.layers[layer - 1];
  return fmt::format("kernel::{}Beat<{}>", kind_prefix(before), class_name(before));
}

/// The streams of run(), as declarations. Products are a vector deep, so that input products run
/// ahead of the recurrence.
std::string run_streams(const QuantisedNetwork& network) {
  std::string text;
  const auto stream = [&text](const std::string& type, const std::string& name) {
    text += fmt::format("  ::hls::stream<{}> {}(\"{}\");\n", type, name, name);
  };
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const QuantisedLayer& layer = network.layers[i];
    const std::string product = fmt::format("kernel::ProductBeat<{}Input>", class_name(layer));
    stream(input_transfer(network, i), member_name(layer) + "_in");
    if (layer.options.joins_frames()) {
      stream(fmt::format("kernel::JoinedBeat<{}>::type", class_name(layer)),
             member_name(layer) + "_joined");
    }
    stream(product + "::type", member_name(layer) + "_product");
    text +=
        fmt::format("  ERNN_STREAM_DEPTH({}_product, {}::count)\n", member_name(layer), product);
  }
  stream(fmt::format("kernel::FeedforwardBeat<{}>", class_name(network.layers.back())), "logits");
  return text;
}

/// The chain of stages.
std::string run_function(const QuantisedNetwork& network) {
  std::string calls = "  kernel::read_stage<kInputs>(vectors, input, " +
                      member_name(network.layers.front()) + "_in);\n";
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const QuantisedLayer& layer = network.layers[i];
    const std::string type = class_name(layer);
    const std::string name = member_name(layer);
    const std::string next =
        i + 1 < network.layers.size() ? member_name(network.layers[i + 1]) + "_in" : "logits";
    const bool joins = layer.options.joins_frames();
    if (joins) {
      calls += fmt::format(
          "  kernel::join_stage<{0}>(frames, streams, reset, {1}_in, state.{1}, {1}_joined);\n",
          type, name);
    }
    calls += fmt::format(
        "  kernel::product_stage<{0}Input>(vectors, {1}_{2}, weights.{1}.input, {1}_product,\n"
        "                                 probe);\n",
        type, name, joins ? "joined" : "in");
    if (layer.options.type == LayerType::feedforward) {
      calls += fmt::format(
          "  kernel::feedforward_stage<{0}>(vectors, {1}_product, weights.{1}, {2}, probe);\n",
          type, name, next);
    } else {
      calls += fmt::format(
          "  kernel::{0}_stage<{1}>(frames, streams, reset, {2}_product, weights.{2},\n"
          "                       state.{2}, {3}, probe);\n",
          name_of(layer.options.type), type, name, next);
    }
  }
  calls += "  kernel::write_stage<kOutputs>(vectors, logits, output);\n";
  return "/// Runs `frames` frames of `streams` streams, at most kStreams: codes in, logit codes "
         "out,\n"
         "/// frame by frame and in a frame stream by stream. Streams whose bit is set in `reset`\n"
         "/// start from zero state; otherwise the network goes on from `state`.\n"
         "template <class Probe>\n"
         "void run(int frames, int streams, unsigned reset, ::hls::stream<InputCode>& input,\n"
         "         const Weights& weights, State& state, ::hls::stream<LogitCode>& output,\n"
         "         Probe probe) {\n"
         "  ERNN_DATAFLOW\n"
         "  const int vectors = frames * streams;\n" +
         run_streams(network) + calls + "}\n\n";
}

std::string model_file(const QuantisedNetwork& network) {
  std::string weights;
  std::string states;
  std::string loads;
  for (const QuantisedLayer& layer : network.layers) {
    const std::string type = class_name(layer);
    const std::string name = member_name(layer);
    weights += fmt::format("  kernel::{}Weights<{}> {};\n", kind_prefix(layer), type, name);
    loads += fmt::format("  load(source, weights.{});\n", name);
    if (const std::string state = state_type(layer); !state.empty())
      states += fmt::format("  {} {};\n", state, name);
  }
  const std::string first = class_name(network.layers.front());
  std::string run = run_function(network);
  // A network without a memory still has a state port, so that all tops look alike.
  if (states.empty()) {
    states = "  bool unused = false;\n";
    run = "/// No layer has a state to reset.\n" + run;
    for (const auto& [old, unused] : {std::pair{"unsigned reset", "unsigned /*reset*/"},
                                      {"State& state", "State& /*state*/"}}) {
      run.replace(run.find(old), std::string_view(old).size(), unused);
    }
  }
  return fmt::format(
      "// Generated: the network's weights and state, and the chain of its stages.\n"
      "#pragma once\n\n#include \"config.h\"\n\nnamespace ernn {{\nnamespace model {{\n\n"
      "constexpr int kInputs = {0};\nconstexpr int kOutputs = {1};\n"
      "constexpr int kInputBits = kernel::FormatOf<{2}Input::Input>::width;\n"
      "typedef kernel::Codes<{2}Input::Input>::Code InputCode;\n"
      "typedef kernel::Codes<OutputLayer::Output>::Code LogitCode;\n\n"
      "struct Weights {{\n{3}}};\n\nstruct State {{\n{4}}};\n\n{5}"
      "/// Fills the weights from a source of kernel/load.h, layer by layer.\n"
      "template <class Source>\nvoid load(Source& source, Weights& weights) {{\n{6}}}\n\n"
      "}}  // namespace model\n}}  // namespace ernn\n",
      network.inputs(), network.outputs(), first, weights, states, run, loads);
}

constexpr const char* kTopHeader = R"(// Generated: the functions to synthesise.
#pragma once

#include "model.h"

extern "C" {

/// `frames` frames of each of `streams` streams (1 to kStreams), kInputs codes each, from `input`:
/// frame 0 of stream 0, of stream 1, ..., frame 1 of stream 0, ... As many times kOutputs logit
/// codes go to `output` in the same order. Streams whose bit is set in `reset` start from zero
/// state, the others go on from `state`. Weights are ROM.
void ernn_top(::hls::stream<ernn::model::InputCode>& input,
              ::hls::stream<ernn::model::LogitCode>& output, int frames, int streams,
              unsigned reset, ernn::model::State& state);

/// The same with weights in memory on the chip, which stay there between calls. With `load` they are
/// first read from `weights`, in the order of weights.bin.
void ernn_top_loadable(::hls::stream<ap_int<32>>& weights,
                       ::hls::stream<ernn::model::InputCode>& input,
                       ::hls::stream<ernn::model::LogitCode>& output, int frames, int streams,
                       unsigned reset, bool load, ernn::model::State& state);
}

namespace ernn {
namespace model {

/// The ROM, for the testbench.
const Weights& rom();

}  // namespace model
}  // namespace ernn
)";

constexpr const char* kTopSource = R"(// Generated: the functions to synthesise.
#include "top.h"

#include "weights.h"

extern "C" void ernn_top(::hls::stream<ernn::model::InputCode>& input,
                         ::hls::stream<ernn::model::LogitCode>& output, int frames, int streams,
                         unsigned reset, ernn::model::State& state) {
  ERNN_INTERFACE(mode = axis port = input)
  ERNN_INTERFACE(mode = axis port = output)
  ERNN_INTERFACE(mode = s_axilite port = frames)
  ERNN_INTERFACE(mode = s_axilite port = streams)
  ERNN_INTERFACE(mode = s_axilite port = reset)
  ERNN_INTERFACE(mode = s_axilite port = return)
  ERNN_INTERFACE(mode = ap_memory port = state)
  ernn::model::run(frames, streams, reset, input, ernn::model::kWeights, state, output,
                   ernn::kernel::NoProbe());
}

extern "C" void ernn_top_loadable(::hls::stream<ap_int<32>>& weights,
                                  ::hls::stream<ernn::model::InputCode>& input,
                                  ::hls::stream<ernn::model::LogitCode>& output, int frames,
                                  int streams, unsigned reset, bool load,
                                  ernn::model::State& state) {
  ERNN_INTERFACE(mode = axis port = weights)
  ERNN_INTERFACE(mode = axis port = input)
  ERNN_INTERFACE(mode = axis port = output)
  ERNN_INTERFACE(mode = s_axilite port = frames)
  ERNN_INTERFACE(mode = s_axilite port = streams)
  ERNN_INTERFACE(mode = s_axilite port = reset)
  ERNN_INTERFACE(mode = s_axilite port = load)
  ERNN_INTERFACE(mode = s_axilite port = return)
  ERNN_INTERFACE(mode = ap_memory port = state)
  static ernn::model::Weights memory;
  if (load) {
    ernn::kernel::WeightStream source(weights);
    ernn::model::load(source, memory);
  }
  ernn::model::run(frames, streams, reset, input, memory, state, output, ernn::kernel::NoProbe());
}

namespace ernn {
namespace model {

const Weights& rom() { return kWeights; }

}  // namespace model
}  // namespace ernn
)";

/// One list of files and settings for both of Vitis's project formats.
struct VitisSettings {
  std::string flags = "-I. -std=c++17";
  std::vector<std::string> testbench = {"testbench/main.cpp"};
};

std::string vitis_script(const VitisSettings& settings) {
  std::string text = fmt::format(
      "# Generated: vitis_hls -f run_hls.tcl [csim] [csynth] [cosim] [export]   (default: csim "
      "csynth)\n"
      "# Versions without vitis_hls: vitis-run --mode hls --tcl run_hls.tcl, or hls_config.cfg.\n"
      "# The vendor's headers are used: shim/ must not be on the include path.\n"
      "set steps [lsearch -all -inline -regexp $argv {{^(csim|csynth|cosim|export)$}}]\n"
      "if {{[llength $steps] == 0}} {{ set steps {{csim csynth}} }}\n"
      "open_project -reset vitis\nset_top {}\nadd_files top.cpp -cflags \"{}\"\n",
      kTop, settings.flags);
  for (const std::string& file : settings.testbench) {
    text += fmt::format("add_files -tb {} -cflags \"{}\"\n", file, settings.flags);
  }
  return text + fmt::format(
                    "open_solution -reset solution\nset_part {{{}}}\n"
                    "create_clock -period {} -name default\n"
                    "set artefact [file normalize ..]\n"
                    "if {{\"csim\" in $steps}} {{ csim_design -argv $artefact }}\n"
                    "if {{\"csynth\" in $steps}} {{ csynth_design }}\n"
                    "if {{\"cosim\" in $steps}} {{ cosim_design -argv $artefact }}\n"
                    "if {{\"export\" in $steps}} {{ export_design -format ip_catalog }}\nexit\n",
                    kPart, kClockNs);
}

std::string vitis_config(const VitisSettings& settings) {
  std::string text = fmt::format(
      "# Generated: v++ -c --mode hls --config hls_config.cfg --work_dir vitis, then\n"
      "# vitis-run --mode hls --csim | --cosim | --package with the same two options.\n"
      "# The testbench looks for the artefact in the folders above; with a --work_dir elsewhere "
      "add\n"
      "# csim.argv=/its/folder and cosim.argv=/its/folder.\n"
      "part={}\n\n[hls]\nflow_target=vivado\nclock={}ns\nsyn.file=top.cpp\n"
      "syn.file_cflags=top.cpp,{}\nsyn.top={}\n",
      kPart, kClockNs, settings.flags, kTop);
  for (const std::string& file : settings.testbench) {
    text += fmt::format("tb.file={0}\ntb.file_cflags={0},{1}\n", file, settings.flags);
  }
  return text + "package.output.format=ip_catalog\n";
}

}  // namespace

std::vector<GeneratedFile> generate_hls_files(const QuantisedNetwork& network,
                                              const Folding& folding) {
  check_accumulators(network);
  const Folding folds = resolve(folding, model_options_of(network));
  using namespace hls_text;
  const VitisSettings vitis;
  return {{"config.h", config_file(network, folds)},
          {"tables.h", tables_file(network)},
          {"signals.h", signals_file(network)},
          {"model.h", model_file(network)},
          {"weights.h", weights_file(network, folds)},
          {"weights.bin", weights_image(network, folds)},
          {"top.h", kTopHeader},
          {"top.cpp", kTopSource},
          {"run_hls.tcl", vitis_script(vitis)},
          {"hls_config.cfg", vitis_config(vitis)}};
}

void write_hls_project(const QuantisedNetwork& network, const Folding& folding,
                       const std::filesystem::path& folder) {
  const auto put = [&](const std::filesystem::path& name, std::string_view text) {
    make_folder((folder / name).parent_path());
    write_file(folder / name, text);
  };
  for (const GeneratedFile& file : generate_hls_files(network, folding)) put(file.name, file.text);
  for (const EmbeddedFile& file : hls_project_files()) put(file.name, file.text);
}

}  // namespace ernn
