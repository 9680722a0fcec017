#include "train/width_sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/frame_matrix.h"
#include "base/options.h"
#include "base/progress.h"
#include "export/accumulators.h"
#include "export/quantise.h"
#include "export/reference.h"
#include "train/label_delay.h"
#include "train/logit_codes.h"

namespace ernn {

namespace {

constexpr int kFloatBits = 32;

std::vector<FrameMatrix> network_inputs(const ModelContext& context, UtteranceSet utterances) {
  utterances.normalise({context.mean, context.inverse_std});
  std::vector<FrameMatrix> frames;
  for (std::size_t u = 0; u < utterances.size(); ++u)
    frames.push_back(with_delay_frames(utterances.read(u).features, context.label_delay));
  return frames;
}

void add_score(ScoreSheet& sheet, const ModelContext& context, const UtteranceInfo& utterance,
               const FrameMatrix& logits) {
  sheet.add(score_utterance(utterance.id, utterance.phones, decode_utterance(context, logits),
                            context.phones, context.protocol));
}

FrameMatrix real_logits(Reference& reference, const FrameMatrix& utterance) {
  reference.reset();
  FrameMatrix logits;
  for (int t = 0; t < utterance.rows; ++t) {
    const std::vector<double> row =
        reference.step({utterance.row(t), utterance.row(t) + utterance.cols});
    if (t == 0) logits = FrameMatrix(utterance.rows, static_cast<int>(row.size()));
    std::transform(row.begin(), row.end(), logits.row(t),
                   [](double logit) { return static_cast<float>(logit); });
  }
  return logits;
}

FrameMatrix runtime_logits(Stream& stream, const QuantisedNetwork& network,
                           const FrameMatrix& utterance) {
  std::int64_t saturations = 0;
  return logits_of(
      network,
      runtime_codes(stream, quantise_frames(utterance, network.input_format(), saturations),
                    network.outputs()));
}

std::int64_t float_bits(const FloatNetwork& network) {
  std::size_t numbers = 0;
  for (const FloatLayer& layer : network.layers) {
    numbers += layer.bias.size() + layer.candidate_bias.size() + layer.peephole.size();
    for (const FloatMatrix& matrix : layer.matrices) numbers += matrix.weights.size();
  }
  return kFloatBits * static_cast<std::int64_t>(numbers);
}

std::string bits_text(int bits) {
  return bits == 0 ? std::string("float") : std::to_string(bits);
}

}  // namespace

std::vector<WidthResult> sweep_widths(const FloatNetwork& network, const RangeProfile& profile,
                                      const ExportOptions& options, const ModelContext& context,
                                      const UtteranceSet& utterances, const WidthSweep& sweep) {
  // All widths first: a mistake in the last one should not cost the time of the others.
  std::vector<QuantisedNetwork> quantised;
  const std::vector<int>& bits = sweep.bits;
  for (const int width : bits) {
    ExportOptions one = options;
    one.bits = width;
    validate(one);
    quantised.push_back(quantise(network, profile, one, sweep.trained));
    check_accumulators(quantised.back());
  }
  std::vector<FrameMatrix> first = network_inputs(context, utterances);
  const std::size_t measured = std::min(first.size(), sweep.measured.value_or(first.size()));
  const std::vector<FrameMatrix> others(
      std::make_move_iterator(first.begin() + static_cast<std::ptrdiff_t>(measured)),
      std::make_move_iterator(first.end()));
  first.resize(measured);
  Reference reference(network);
  std::vector<WidthResult> results(1 + bits.size());
  results[0].stored_bits = float_bits(network);
  Progress progress("widths", static_cast<long long>(bits.size() * utterances.size()), sweep.quiet);
  long long done = 0;
  for (std::size_t w = 0; w < bits.size(); ++w) {
    WidthResult& result = results[1 + w];
    result.bits = bits[w];
    result.stored_bits = stored_bits(quantised[w]);
    result.scores.protocol = results[0].scores.protocol = context.protocol;
    const auto score = [&](std::size_t u, const FrameMatrix& exact, const FrameMatrix& emulated) {
      add_score(result.scores, context, utterances[u], emulated);
      if (w == 0) add_score(results[0].scores, context, utterances[u], exact);
      progress.update(++done);
    };
    result.measured = measured;
    if (measured > 0) result.signals = compare_with_reference(network, quantised[w], first, score);
    if (others.empty()) continue;
    Stream stream(Engine::from_network(quantised[w], "{}"));
    for (std::size_t u = 0; u < others.size(); ++u) {
      const FrameMatrix exact = w == 0 ? real_logits(reference, others[u]) : FrameMatrix();
      score(measured + u, exact, runtime_logits(stream, quantised[w], others[u]));
    }
  }
  progress.finish();
  return results;
}

ScoreSheet score_quantised(const QuantisedNetwork& network, const ModelContext& context,
                           const UtteranceSet& utterances) {
  ScoreSheet scores;
  scores.protocol = context.protocol;
  const std::vector<FrameMatrix> inputs = network_inputs(context, utterances);
  Stream stream(Engine::from_network(network, "{}"));
  for (std::size_t u = 0; u < inputs.size(); ++u)
    add_score(scores, context, utterances[u], runtime_logits(stream, network, inputs[u]));
  return scores;
}

std::int64_t saturations_of(const WidthResult& result) {
  std::int64_t saturations = 0;
  for (const SignalError& signal : result.signals) saturations += signal.saturations;
  return saturations;
}

double saturated_ppm(const WidthResult& result) {
  std::int64_t values = 0;
  for (const SignalError& signal : result.signals) values += signal.values;
  return values > 0
             ? 1e6 * static_cast<double>(saturations_of(result)) / static_cast<double>(values)
             : 0;
}

std::string measured_text(const WidthResult& result) {
  const std::size_t all = result.scores.utterances.size();
  if (result.measured == all) return "";
  return fmt::format("signals of {} of {} utterances", result.measured, all);
}

std::string width_table(const std::vector<WidthResult>& results) {
  std::string text = fmt::format("{:>6} {:>8} {:>8} {:>8} {:>10} {:>12} {:>14}\n", "bits", "PER %",
                                 "change", "tokens", "kB", "logit SNR", "saturated ppm");
  for (const WidthResult& result : results) {
    const double per = result.scores.total.per();
    text += fmt::format("{:>6} {:>8.2f} {:>+8.2f} {:>8} {:>10.1f} {:>12} {:>14.1f}\n",
                        bits_text(result.bits), per, per - results.front().scores.total.per(),
                        result.scores.total.tokens, static_cast<double>(result.stored_bits) / 8000,
                        result.signals.empty() ? "" : snr_text(result.signals.back().snr_db),
                        saturated_ppm(result));
  }
  text += fmt::format("protocol {}", name_of(results.front().scores.protocol));
  const std::string measured = measured_text(results.back());
  return text + (measured.empty() ? "" : "; " + measured) + "\n";
}

std::string width_signals(const std::vector<WidthResult>& results) {
  std::string text = fmt::format("{:34}", "SNR / dB (saturations)");
  for (const WidthResult& result : results) {
    if (result.bits > 0) text += fmt::format(" {:>20}", fmt::format("{} bits", result.bits));
  }
  text += "\n";
  for (std::size_t s = 0; s < results.back().signals.size(); ++s) {
    text += fmt::format("{:34}", results.back().signals[s].signal);
    for (const WidthResult& result : results) {
      if (result.bits == 0) continue;
      const SignalError& signal = result.signals[s];
      text += fmt::format(" {:>20}",
                          fmt::format("{} ({})", snr_text(signal.snr_db), signal.saturations));
    }
    text += "\n";
  }
  return text;
}

std::string width_json(const std::vector<WidthResult>& results) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const WidthResult& result : results) {
    nlohmann::ordered_json& entry = json.emplace_back();
    entry["bits"] = result.bits;
    entry["per"] = result.scores.total.per();
    entry["tokens"] = result.scores.total.tokens;
    entry["protocol"] = name_of(result.scores.protocol);
    entry["stored_bits"] = result.stored_bits;
    entry["measured_utterances"] = result.measured;
    entry["signals"] = nlohmann::ordered_json::array();
    for (const SignalError& signal : result.signals) {
      const nlohmann::ordered_json snr =
          std::isfinite(signal.snr_db) ? nlohmann::ordered_json(signal.snr_db) : nullptr;
      entry["signals"].push_back({{"signal", signal.signal},
                                  {"format", signal.format.text()},
                                  {"snr_db", snr},
                                  {"saturations", signal.saturations},
                                  {"values", signal.values}});
    }
  }
  return json.dump(1) + "\n";
}

}  // namespace ernn
