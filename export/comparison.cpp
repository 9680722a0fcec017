#include "export/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>

#include "export/emulator.h"
#include "export/quantise.h"
#include "export/reference.h"
#include "export/signals.h"

namespace ernn {

namespace {

class Accumulator {
 public:
  explicit Accumulator(const TracedSignal& signal) {
    result_.signal = signal.name;
    result_.format = signal.format;
  }

  void add(const std::vector<double>& reference, const std::vector<std::int32_t>& codes) {
    for (std::size_t i = 0; i < reference.size(); ++i) {
      const double error = dequantise(codes[i], result_.format) - reference[i];
      signal_energy_ += reference[i] * reference[i];
      error_energy_ += error * error;
      result_.largest = std::max(result_.largest, std::abs(reference[i]));
      result_.worst = std::max(result_.worst, std::abs(error));
    }
    result_.values += static_cast<std::int64_t>(reference.size());
  }

  SignalError finish(std::int64_t saturations) const {
    SignalError result = result_;
    result.saturations = saturations;
    result.snr_db = error_energy_ > 0 ? 10 * std::log10(signal_energy_ / error_energy_)
                                      : std::numeric_limits<double>::infinity();
    return result;
  }

 private:
  SignalError result_;
  double signal_energy_ = 0;
  double error_energy_ = 0;
};

template <class Row, class ToReal>
void put_row(FrameMatrix& matrix, int t, const Row& row, const ToReal& to_real) {
  for (std::size_t i = 0; i < row.size(); ++i)
    matrix.at(t, static_cast<int>(i)) = static_cast<float>(to_real(row[i]));
}

}  // namespace

std::string snr_text(double snr_db) {
  if (std::isfinite(snr_db)) return fmt::format("{:.1f}", snr_db);
  return snr_db > 0 ? "exact" : "no signal";
}

std::vector<SignalError> compare_with_reference(const FloatNetwork& network,
                                                const QuantisedNetwork& quantised,
                                                const std::vector<FrameMatrix>& utterances,
                                                const LogitSink& sink) {
  Accumulator input({"input", quantised.inputs(), true, quantised.input_format()});
  std::int64_t input_saturations = 0;
  std::vector<TracedSignal> signals = traced_signals(quantised);
  std::vector<Accumulator> accumulators(signals.begin(), signals.end());
  std::map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < signals.size(); ++i) places[signals[i].name] = i;

  std::vector<std::vector<double>> expected(signals.size());
  Reference reference(network);
  reference.observe([&](const std::string& name, const std::vector<double>& values) {
    expected[places.at(name)] = values;
  });
  Emulator emulator(quantised);
  emulator.trace([&](const std::string& name, const Emulator::Codes& codes) {
    const std::size_t place = places.at(name);
    accumulators[place].add(expected[place], codes);
  });
  for (std::size_t u = 0; u < utterances.size(); ++u) {
    const FrameMatrix& utterance = utterances[u];
    FrameMatrix exact(utterance.rows, quantised.outputs());
    FrameMatrix emulated(utterance.rows, quantised.outputs());
    reference.reset();
    emulator.reset();
    const auto codes = quantise_frames(utterance, quantised.input_format(), input_saturations);
    for (int t = 0; t < utterance.rows; ++t) {
      const std::vector<double> frame(utterance.row(t), utterance.row(t) + utterance.cols);
      const std::vector<std::int32_t>& row = codes[static_cast<std::size_t>(t)];
      input.add(frame, row);
      put_row(exact, t, reference.step(frame), [](double logit) { return logit; });
      put_row(emulated, t, emulator.step(row),
              [&](std::int32_t code) { return dequantise(code, quantised.logit_format()); });
    }
    if (sink) sink(u, exact, emulated);
  }
  std::map<std::string, std::int64_t> saturations;
  for (const SaturationCount& count : emulator.saturations())
    saturations[count.signal] = count.count;
  std::vector<SignalError> result = {input.finish(input_saturations)};
  for (std::size_t i = 0; i < signals.size(); ++i)
    result.push_back(accumulators[i].finish(saturations[signals[i].name]));
  return result;
}

}  // namespace ernn
