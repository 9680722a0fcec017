#include "train/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/options.h"
#include "base/progress.h"
#include "base/text.h"
#include "export/emulator.h"
#include "export/quantise.h"
#include "export/signals.h"
#include "features/normalisation.h"
#include "runtime/engine.h"
#include "train/label_delay.h"
#include "train/logit_codes.h"

namespace ernn {

namespace {

/// What the network is fed: normalised features with the delay's extra frames, as codes.
std::vector<CodeFrames> input_codes(const Artefact& artefact, const ModelContext& context,
                                    const UtteranceSet& utterances, std::int64_t& saturations) {
  const auto width = static_cast<std::size_t>(artefact.network.inputs());
  if (context.mean.size() != width || context.inverse_std.size() != width) {
    throw DataError(
        fmt::format("manifest.json: the context normalises {} dimensions, but the network takes {}",
                    context.mean.size(), width));
  }
  UtteranceSet normalised = utterances;
  normalised.normalise({context.mean, context.inverse_std});
  std::vector<CodeFrames> codes;
  for (std::size_t u = 0; u < normalised.size(); ++u) {
    codes.push_back(
        quantise_frames(with_delay_frames(normalised.read(u).features, context.label_delay),
                        artefact.network.input_format(), saturations));
  }
  return codes;
}

std::vector<CodeFrames> emulate(Emulator& emulator, const std::vector<CodeFrames>& utterances,
                                bool quiet) {
  Progress progress("emulator", static_cast<long long>(utterances.size()), quiet);
  std::vector<CodeFrames> logits;
  for (const CodeFrames& utterance : utterances) {
    emulator.reset();
    CodeFrames out;
    out.reserve(utterance.size());
    for (const auto& frame : utterance) out.push_back(emulator.step(frame));
    logits.push_back(std::move(out));
    progress.update(static_cast<long long>(logits.size()));
  }
  progress.finish();
  return logits;
}

ScoreSheet score(const QuantisedNetwork& network, const ModelContext& context,
                 const UtteranceSet& utterances, const std::vector<CodeFrames>& logits) {
  ScoreSheet sheet;
  sheet.protocol = context.protocol;
  for (std::size_t u = 0; u < utterances.size(); ++u) {
    const std::vector<int> phones = decode_utterance(context, logits_of(network, logits[u]));
    sheet.add(score_utterance(utterances[u].id, utterances[u].phones, phones, context.phones,
                              context.protocol));
  }
  return sheet;
}

std::int64_t differing_codes(const std::vector<CodeFrames>& a, const std::vector<CodeFrames>& b) {
  std::int64_t count = 0;
  for (std::size_t u = 0; u < a.size(); ++u) {
    for (std::size_t t = 0; t < a[u].size(); ++t) {
      for (std::size_t i = 0; i < a[u][t].size(); ++i) count += a[u][t][i] != b[u][t][i] ? 1 : 0;
    }
  }
  return count;
}

/// Codes in which the streaming runtime differs from the emulator, with one instruction set.
std::int64_t differing_in_runtime(const Artefact& artefact, Isa isa,
                                  const std::vector<CodeFrames>& utterances,
                                  const std::vector<CodeFrames>& expected) {
  EngineOptions options;
  options.isa = isa;
  Stream stream(Engine::from_network(artefact.network, artefact.context, options));
  std::vector<CodeFrames> logits;
  logits.reserve(utterances.size());
  for (const CodeFrames& utterance : utterances)
    logits.push_back(runtime_codes(stream, utterance, artefact.network.outputs()));
  return differing_codes(expected, logits);
}

std::vector<SimulatedSignal> signal_counts(const QuantisedNetwork& network,
                                           const Emulator& emulator, const KernelRun& kernel) {
  std::vector<SimulatedSignal> signals;
  const std::vector<TracedSignal> traced = traced_signals(network);
  for (const SaturationCount& count : emulator.saturations()) {
    SimulatedSignal signal;
    signal.name = count.signal;
    signal.values = count.values;
    signal.saturations = count.count;
    for (const TracedSignal& known : traced) {
      if (known.name == count.signal) signal.format = known.format;
    }
    const auto found = kernel.saturations.find(count.signal);
    // A counter that the kernel does not have must not look equal.
    signal.kernel_saturations = found != kernel.saturations.end() ? found->second : -1;
    signals.push_back(signal);
  }
  return signals;
}

std::string names_of(const std::vector<Isa>& isas) {
  std::vector<std::string> names;
  names.reserve(isas.size());
  for (const Isa isa : isas) names.emplace_back(name_of(isa));
  return join(names, ", ");
}

}  // namespace

Simulation simulate(const Artefact& artefact, const ModelContext& context,
                    const KernelProgram& kernel, const UtteranceSet& utterances, bool quiet) {
  Simulation result;
  const std::vector<CodeFrames> codes =
      input_codes(artefact, context, utterances, result.input_saturations);
  Emulator emulator(artefact.network);
  const std::vector<CodeFrames> expected = emulate(emulator, codes, quiet);
  const KernelRun found = kernel.run(codes, artefact.network);
  result.signals = signal_counts(artefact.network, emulator, found);
  result.mismatches = differing_codes(expected, found.logits);
  for (const SimulatedSignal& signal : result.signals) {
    result.mismatches += signal.saturations != signal.kernel_saturations ? 1 : 0;
  }
  result.runtime_isas = available_isas();
  for (const Isa isa : result.runtime_isas)
    result.runtime_mismatches += differing_in_runtime(artefact, isa, codes, expected);
  result.utterances = static_cast<std::int64_t>(utterances.size());
  for (const CodeFrames& utterance : codes) {
    result.frames += static_cast<std::int64_t>(utterance.size());
  }
  result.emulator = score(artefact.network, context, utterances, expected);
  result.kernel = score(artefact.network, context, utterances, found.logits);
  return result;
}

bool agrees(const Simulation& simulation) {
  return simulation.mismatches == 0 && simulation.runtime_mismatches == 0;
}

std::string simulation_text(const Simulation& simulation) {
  std::string text =
      fmt::format("{:34} {:>8} {:>12} {:>12}\n", "signal", "format", "values", "saturations");
  for (const SimulatedSignal& signal : simulation.signals) {
    text += fmt::format("{:34} {:>8} {:>12} {:>12}{}\n", signal.name, signal.format.text(),
                        signal.values, signal.saturations,
                        signal.saturations == signal.kernel_saturations
                            ? ""
                            : fmt::format("  DIFFERENT: kernel {}", signal.kernel_saturations));
  }
  text += fmt::format("{:34} {:>8} {:>12} {:>12}\n", "features beyond the input format", "", "",
                      simulation.input_saturations);
  text += fmt::format("emulator: {}\n", simulation.emulator.text());
  text += fmt::format("kernel:   {}\n", simulation.kernel.text());
  text += fmt::format("{} mismatches between kernel and emulator in {} frames of {} utterances\n",
                      simulation.mismatches, simulation.frames, simulation.utterances);
  return text + fmt::format("{} mismatches between runtime ({}) and emulator\n",
                            simulation.runtime_mismatches, names_of(simulation.runtime_isas));
}

void write_simulation(const Simulation& simulation, const std::filesystem::path& folder) {
  nlohmann::ordered_json json;
  json["mismatches"] = simulation.mismatches;
  json["runtime_mismatches"] = simulation.runtime_mismatches;
  json["frames"] = simulation.frames;
  json["utterances"] = simulation.utterances;
  json["input_saturations"] = simulation.input_saturations;
  json["signals"] = nlohmann::ordered_json::array();
  for (const SimulatedSignal& signal : simulation.signals) {
    json["signals"].push_back({{"name", signal.name},
                               {"format", signal.format.text()},
                               {"values", signal.values},
                               {"saturations", signal.saturations}});
  }
  make_folder(folder / "emulator");
  make_folder(folder / "kernel");
  write_scores(simulation.emulator, folder / "emulator");
  write_scores(simulation.kernel, folder / "kernel");
  write_file(folder / "simulation.json", json.dump(1) + "\n");
}

std::vector<SummaryRow> simulation_rows(const Simulation& simulation, const Artefact& artefact,
                                        const ModelContext& context, const std::string& stage) {
  SummaryRow row;
  row.name = stage;
  const ModelOptions model = model_options_of(artefact.network);
  row.cell = cell_name(model);
  row.bits = 0;
  for (const QuantisedLayer& layer : artefact.network.layers) {
    for (const QuantisedMatrix& matrix : layer.matrices) {
      row.block_size = std::max(row.block_size, matrix.shape.block);
      row.bits = std::max(row.bits, matrix.weight.width);
    }
  }
  row.parameters = parameter_count(model);
  row.stored_bits = stored_bits(artefact.network);
  row.multiplications = multiplications(model);
  row.protocol = name_of(context.protocol);
  row.seed = context.seed;
  std::vector<SummaryRow> rows;
  for (const auto& [name, sheet] :
       {std::pair{"emulator", &simulation.emulator}, std::pair{"kernel", &simulation.kernel}}) {
    row.stage = name;
    row.per = sheet->total.per();
    row.tokens = sheet->total.tokens;
    row.mismatches = row.stage == "kernel" ? simulation.mismatches : 0;
    rows.push_back(row);
  }
  return rows;
}

}  // namespace ernn
