#include "explore/hardware_choice.h"

#include <fmt/format.h>

#include <tuple>

namespace ernn {

namespace {

FoldingRequest folding_request(const HardwareCandidate& candidate, const HardwareRequest& request,
                               FoldingObjective objective) {
  FoldingRequest folding;
  folding.model = candidate.model;
  folding.widths = candidate.widths;
  folding.streams = request.streams;
  folding.objective = objective;
  return folding;
}

double value_of(const HardwareDesign& design, DesignObjective objective) {
  switch (objective) {
    case DesignObjective::latency:
      return design.latency_us;
    case DesignObjective::throughput:
      return 1e6 / design.interleaved_fps;
    case DesignObjective::energy:
      return design.energy_uj;
  }
  return 0;
}

HardwareDesign design_for(const HardwareCandidate& candidate, const HardwareRequest& request,
                          FoldingObjective objective, DatapathTable& table) {
  const FoldingRequest folding = folding_request(candidate, request, objective);
  const ChosenFolding chosen = choose_folding(folding, table);
  const KernelPlan plan =
      plan_kernel(candidate.model, chosen.folding, candidate.widths, table, folding.depths);
  const NetworkTiming timing = time_kernel(plan, request.streams);
  const std::vector<StageResources> stages = kernel_resources(plan, table, request.streams);
  const Platform& platform = table.platform();
  HardwareDesign design;
  design.name = candidate.name;
  design.folding = chosen.folding;
  design.latency_us = timing.latency / platform.clock_mhz;
  design.single_fps = platform.clock_mhz * 1e6 / timing.single;
  design.interleaved_fps = platform.clock_mhz * 1e6 / timing.interleaved;
  design.energy_uj = 1e6 * frame_energy(stages, timing.interleaved, platform).total();
  design.resources = total_of(stages);
  design.value = value_of(design, request.objective);
  return design;
}

}  // namespace

const std::vector<std::pair<DesignObjective, const char*>>& enum_names(DesignObjective) {
  static const std::vector<std::pair<DesignObjective, const char*>> names = {
      {DesignObjective::latency, "latency"},
      {DesignObjective::throughput, "throughput"},
      {DesignObjective::energy, "energy"}};
  return names;
}

HardwareDesign design_hardware(const HardwareCandidate& candidate, const HardwareRequest& request,
                               DatapathTable& table) {
  Folding smallest = unfolded(candidate.model);
  smallest.streams = request.streams;
  const FoldingValue least = value_folding(
      smallest, folding_request(candidate, request, FoldingObjective::latency), table);
  if (!least.fits) {
    HardwareDesign none;
    none.name = candidate.name;
    none.refusal =
        fmt::format("even one block at a time: {}", shortage(least.resources, table.platform()));
    return none;
  }
  if (request.objective == DesignObjective::latency)
    return design_for(candidate, request, FoldingObjective::latency, table);
  HardwareDesign fast = design_for(candidate, request, FoldingObjective::throughput, table);
  if (request.objective == DesignObjective::throughput) return fast;
  HardwareDesign prompt = design_for(candidate, request, FoldingObjective::latency, table);
  return prompt.value < fast.value ? prompt : fast;
}

int best_design(const std::vector<HardwareCandidate>& candidates,
                const std::vector<HardwareDesign>& designs) {
  int best = -1;
  const auto key = [&](int i) {
    const auto at = static_cast<std::size_t>(i);
    return std::make_tuple(designs[at].value, candidates[at].per);
  };
  for (int i = 0; i < static_cast<int>(designs.size()); ++i) {
    if (!designs[static_cast<std::size_t>(i)].fits()) continue;
    if (best < 0 || key(i) < key(best)) best = i;
  }
  return best;
}

}  // namespace ernn
