#include <fmt/format.h>

#include "base/options.h"
#include "explore/estimate.h"
#include "explore/published_designs.h"

namespace ernn {

namespace {

std::string stage_table(const Estimate& estimate) {
  std::string text = fmt::format("{:34} {:>7} {:>5} {:>7} {:>6} {:>7} {:>7} {:>8} {:>9} {:>10}\n",
                                 "stage", "beats", "depth", "clocks", "DSP", "BRAM36", "LUT", "FF",
                                 "mult/beat", "weights b/clk");
  for (std::size_t i = 0; i < estimate.stages.size(); ++i) {
    const StageResources& stage = estimate.stages[i];
    const StageTiming& timing = estimate.timing.stages[i];
    text += fmt::format(
        "{:34} {:>7} {:>5} {:>7} {:>6.0f} {:>7.1f} {:>7.0f} {:>8.0f} {:>9} {:>10}\n", stage.name,
        timing.beats, timing.depth, timing.interval(), stage.total.dsp, stage.total.bram36,
        stage.total.lut, stage.total.ff, stage.multiplications, stage.weight_bandwidth);
  }
  return text;
}

std::string limits_table(const Estimate& estimate) {
  const Platform& device = estimate.platform;
  std::string text =
      fmt::format("\n{:10} {:>10} {:>10} {:>7}\n", "resource", "used", "device", "%");
  const auto row = [&](const char* name, double used, double has) {
    text += fmt::format("{:10} {:>10.0f} {:>10.0f} {:>7.1f}\n", name, used, has, 100 * used / has);
  };
  row("DSP", estimate.total.dsp, device.dsp);
  row("BRAM36", estimate.total.bram36, device.bram36);
  row("LUT", estimate.total.lut, device.lut);
  row("  as RAM", estimate.total.lutram, device.lut);
  row("FF", estimate.total.ff, device.ff);
  return text;
}

std::string time_rows(const Estimate& estimate) {
  const NetworkTiming& formulas = estimate.timing;
  const SimulatedTiming& simulated = estimate.simulated;
  std::string text = fmt::format("\n{:52} {:>9} {:>9} {:>9} {:>12}\n", "time", "formula",
                                 "simulated", "us", "frames/s");
  for (const LayerTiming& layer : formulas.layers) {
    text += fmt::format("{:52} {:>9.0f} {:>9} {:>9.2f}\n",
                        "latency of " + layer.name + ", nothing computed ahead", layer.latency, "",
                        estimate.microseconds(layer.latency));
    if (layer.recurrence > 0) {
      text += fmt::format("{:52} {:>9.0f} {:>9} {:>9.2f} {:>12.0f}\n",
                          "recurrence of " + layer.name + ", one stream", layer.recurrence, "",
                          estimate.microseconds(layer.recurrence),
                          estimate.frames_per_second(layer.recurrence));
    }
  }
  text +=
      fmt::format("{:52} {:>9.0f} {:>9.0f} {:>9.2f}\n", "latency of the network, port to port",
                  formulas.latency, simulated.latency, estimate.microseconds(simulated.latency));
  const auto interval = [&](const std::string& name, double formula, double measured) {
    text += fmt::format("{:52} {:>9.1f} {:>9.1f} {:>9.2f} {:>12.0f}\n", name, formula, measured,
                        estimate.microseconds(measured), estimate.frames_per_second(measured));
  };
  interval("interval of frames, one stream", formulas.single, simulated.single);
  interval(fmt::format("interval of frames, {} streams interleaved", formulas.streams),
           formulas.interleaved, simulated.interleaved);
  text += fmt::format("what sets the interval of {} streams: {}", formulas.streams,
                      formulas.bottleneck);
  return text + "\n";
}

}  // namespace

std::string estimate_text(const Estimate& estimate) {
  std::string text = fmt::format(
      "{} on {} ({}), {:.0f} MHz, {} streams, folds {}\n\n", estimate.title, estimate.platform.name,
      estimate.platform.device, estimate.platform.clock_mhz, estimate.timing.streams,
      estimate.folds_given ? "as given"
                           : fmt::format("chosen for {}", name_of(estimate.objective)));
  text += stage_table(estimate) + limits_table(estimate) + time_rows(estimate);
  long long bits = 0, bandwidth = 0;
  for (const StageResources& stage : estimate.stages) {
    bits += stage.weight_bits;
    bandwidth += stage.weight_bandwidth;
  }
  text += fmt::format("weights: {:.2f} Mbit on the chip, {} bits read a clock ({:.2f} Tbit/s)\n",
                      static_cast<double>(bits) / 1e6, bandwidth,
                      static_cast<double>(bandwidth) * estimate.platform.clock_mhz / 1e6);
  text += fmt::format(
      "energy a frame: {:.2f} uJ with one stream, {:.2f} uJ with {} (assumed factors)\n\n",
      1e6 * estimate.energy_single.total(), 1e6 * estimate.energy_interleaved.total(),
      estimate.timing.streams);
  for (const std::string& note : estimate_notes(estimate)) text += "* " + note + "\n";
  text += fmt::format("\n{:22} {:34} {:24} {:32} {}\n", "other designs", "network", "device",
                      "latency", "throughput");
  for (const PublishedDesign& design : published_designs()) {
    text += fmt::format("{:22} {:34} {:24} {:32} {}{}[{}]\n", design.work, design.network,
                        design.device, design.latency, design.throughput,
                        design.throughput.empty() ? "" : " ", design.how_known);
  }
  return text;
}

}  // namespace ernn
