#include "explore/estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/options.h"

namespace ernn {

namespace {

constexpr int kFrames = 8;

double latency_of(const ProcessNetwork& network, const DataflowTrace& trace) {
  return static_cast<double>(trace.end_of(static_cast<int>(network.processes.size()) - 1, 0, 0));
}

nlohmann::ordered_json to_json(const Energy& energy) {
  return {{"joule_a_frame", energy.total()}, {"rest", energy.rest},   {"multiply", energy.multiply},
          {"memory", energy.memory},         {"logic", energy.logic}, {"clock", energy.clock}};
}

}  // namespace

nlohmann::ordered_json to_json(const Resources& used) {
  return {{"dsp", used.dsp},
          {"bram36", used.bram36},
          {"lut", used.lut},
          {"lutram", used.lutram},
          {"ff", used.ff}};
}

Estimate estimate_kernel(const FoldingRequest& request, const std::optional<Folding>& folding,
                         DatapathTable& table, const std::string& title) {
  Estimate result;
  result.title = title;
  result.platform = table.platform();
  result.objective = request.objective;
  result.folds_given = folding.has_value();
  Folding folds =
      folding ? resolve(*folding, request.model) : choose_folding(request, table).folding;
  folds.streams = std::max(folds.streams, request.streams);
  // A table of its own, so that it lists what this kernel rests on and not what was tried.
  DatapathTable used = table.fresh();
  result.plan = plan_kernel(request.model, folds, request.widths, used, request.depths,
                            request.port_elements);
  result.timing = time_kernel(result.plan, request.streams);
  result.stages = kernel_resources(result.plan, used, folds.streams);
  result.total = total_of(result.stages);
  result.energy_single = frame_energy(result.stages, result.timing.single, result.platform);
  result.energy_interleaved =
      frame_energy(result.stages, result.timing.interleaved, result.platform);
  result.datapath = used.used();

  result.network = process_network(result.plan);
  result.simulated.frames = kFrames;
  result.single_trace = simulate_dataflow(result.network, {1, kFrames, 0});
  result.simulated.latency = latency_of(result.network, result.single_trace);
  result.simulated.single = steady_interval(result.network, result.single_trace, kFrames, 1);
  result.simulated.interleaved = result.simulated.single;
  result.interleaved_trace = result.single_trace;
  if (request.streams > 1) {
    result.interleaved_trace = simulate_dataflow(result.network, {request.streams, kFrames, 0});
    result.simulated.interleaved =
        steady_interval(result.network, result.interleaved_trace, kFrames, request.streams);
  }
  return result;
}

std::vector<std::string> estimate_notes(const Estimate& estimate) {
  const auto assumed =
      std::count_if(estimate.datapath.begin(), estimate.datapath.end(),
                    [](const DatapathCost& cost) { return cost.source == CostSource::assumed; });
  std::vector<std::string> notes = {fmt::format(
      "Datapath functions: {} measured, {} assumed: depth, LUT and FF from counted operations, DSP "
      "by arithmetic over operand widths.",
      estimate.datapath.size() - static_cast<std::size_t>(assumed), assumed)};
  notes.emplace_back(
      "Clocks: arithmetic over the kernel's loops (beats + depth + 2 a vector), checked by a "
      "simulation of its processes; no tool scheduled it.");
  notes.emplace_back("BRAM and LUTRAM: arithmetic over the width and depth of each memory.");
  notes.emplace_back(
      "The clock rate is the platform file's target; nothing was placed and routed.");
  notes.emplace_back(
      "Energy: every factor is an assumption of the platform file; nothing was measured.");
  if (!formulas_hold(estimate.plan)) {
    notes.emplace_back(
        "Streams behind recurrent products are shorter than a group's words: the formulas "
        "do not count how bursts hold products up, the simulation does.");
  }
  return notes;
}

nlohmann::ordered_json estimate_json(const Estimate& estimate) {
  nlohmann::ordered_json json;
  json["title"] = estimate.title;
  json["platform"] = write_options(estimate.platform).to_json();
  json["objective"] = name_of(estimate.objective);
  json["folding"] = write_options(estimate.plan.folding).to_json();
  json["streams"] = estimate.timing.streams;
  const auto times = [&](double latency, double single, double interleaved) {
    return nlohmann::ordered_json{
        {"latency_clocks", latency},
        {"latency_us", estimate.microseconds(latency)},
        {"single_stream_interval_clocks", single},
        {"single_stream_frames_per_s", estimate.frames_per_second(single)},
        {"interleaved_interval_clocks", interleaved},
        {"interleaved_frames_per_s", estimate.frames_per_second(interleaved)}};
  };
  json["formulas"] =
      times(estimate.timing.latency, estimate.timing.single, estimate.timing.interleaved);
  json["simulation"] =
      times(estimate.simulated.latency, estimate.simulated.single, estimate.simulated.interleaved);
  json["bottleneck"] = estimate.timing.bottleneck;
  for (const LayerTiming& layer : estimate.timing.layers) {
    json["layers"].push_back({{"name", layer.name},
                              {"latency_clocks", layer.latency},
                              {"recurrence_clocks", layer.recurrence},
                              {"slowest", layer.slowest},
                              {"slowest_interval_clocks", layer.interval}});
  }
  for (std::size_t i = 0; i < estimate.stages.size(); ++i) {
    const StageResources& stage = estimate.stages[i];
    nlohmann::ordered_json& entry = json["stages"].emplace_back();
    entry = {{"name", stage.name},
             {"beats", stage.beats},
             {"depth", estimate.timing.stages[i].depth},
             {"resources", to_json(stage.total)},
             {"weight_bits", stage.weight_bits},
             {"weight_bits_a_clock", stage.weight_bandwidth},
             {"multiplications_a_beat", stage.multiplications}};
  }
  json["resources"] = to_json(estimate.total);
  json["limits"] = to_json(estimate.platform.limits());
  json["energy_single_stream"] = to_json(estimate.energy_single);
  json["energy_interleaved"] = to_json(estimate.energy_interleaved);
  for (const DatapathCost& cost : estimate.datapath)
    json["datapath"].push_back(write_options(cost).to_json());
  json["notes"] = estimate_notes(estimate);
  return json;
}

}  // namespace ernn
