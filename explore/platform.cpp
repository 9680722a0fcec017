#include "explore/platform.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <utility>

#include "base/config_tree.h"
#include "base/error.h"
#include "base/options.h"
#include "base/text.h"

namespace ernn {

namespace {

constexpr long long kDeepestLutram = 64;
constexpr long long kShiftRegister = 32;

void check(const Platform& platform, const std::string& path) {
  const auto need = [&](bool good, const char* key, double found, const char* expected) {
    if (!good)
      throw UsageError(fmt::format("{}: {}: found {}, expected {}", path, key, found, expected));
  };
  need(platform.dsp > 0, "dsp", platform.dsp, "more than 0");
  need(platform.bram36 > 0, "bram36", platform.bram36, "more than 0");
  need(platform.lut > 0, "lut", platform.lut, "more than 0");
  need(platform.ff > 0, "ff", platform.ff, "more than 0");
  need(platform.multiplier_a > 1, "multiplier_a", platform.multiplier_a, "2 or more");
  need(platform.multiplier_b >= platform.multiplier_a, "multiplier_b", platform.multiplier_b,
       "multiplier_a or more");
  need(platform.clock_mhz > 0, "clock_mhz", platform.clock_mhz, "more than 0");
  need(platform.usable > 0 && platform.usable <= 1, "usable", platform.usable, "0 to 1");
  need(platform.logic.usable_period > 0 && platform.logic.usable_period <= 1, "logic.usable_period",
       platform.logic.usable_period, "0 to 1");
  const LogicAssumptions& logic = platform.logic;
  for (const auto& [key, delay] : std::initializer_list<std::pair<const char*, double>>{
           {"logic.adder_ns", logic.adder_ns},
           {"logic.multiplier_ns", logic.multiplier_ns},
           {"logic.narrow_ns", logic.narrow_ns},
           {"logic.lookup_ns", logic.lookup_ns}}) {
    need(delay > 0, key, delay, "more than 0");
  }
  const EnergyAssumptions& energy = platform.energy;
  for (const auto& [key, factor] : std::initializer_list<std::pair<const char*, double>>{
           {"logic.lut_per_adder_bit", logic.lut_per_adder_bit},
           {"logic.lut_per_narrowed_bit", logic.lut_per_narrowed_bit},
           {"logic.lut_per_stage", logic.lut_per_stage},
           {"logic.ff_per_stage", logic.ff_per_stage},
           {"energy.static_w", energy.static_w},
           {"energy.multiply_pj", energy.multiply_pj},
           {"energy.bram36_read_pj", energy.bram36_read_pj},
           {"energy.lut_pj", energy.lut_pj},
           {"energy.ff_pj", energy.ff_pj}}) {
    need(factor >= 0, key, factor, "0 or more");
  }
}

/// Pieces of a signed number on a signed multiplier side: all but the top one are unsigned.
int pieces(int bits, int side) {
  return bits <= side ? 1 : (bits - 2) / (side - 1) + 1;
}

}  // namespace

Resources& Resources::operator+=(const Resources& other) {
  dsp += other.dsp;
  bram36 += other.bram36;
  lut += other.lut;
  lutram += other.lutram;
  ff += other.ff;
  return *this;
}

Resources operator*(double factor, Resources resources) {
  resources.dsp *= factor;
  resources.bram36 *= factor;
  resources.lut *= factor;
  resources.lutram *= factor;
  resources.ff *= factor;
  return resources;
}

Resources Platform::limits() const {
  Resources all;
  all.dsp = dsp;
  all.bram36 = bram36;
  all.lut = all.lutram = lut;
  all.ff = ff;
  return usable * all;
}

std::string shortage(const Resources& needs, const Platform& platform) {
  const Resources limits = platform.limits();
  std::string text;
  const auto check = [&](const char* name, double needed, double allowed) {
    if (needed <= allowed || !text.empty()) return;
    // As many decimals as tell them apart.
    int decimals = 0;
    const auto shown = [&](double number) { return fmt::format("{:.{}f}", number, decimals); };
    while (decimals < 3 && shown(needed) == shown(allowed)) ++decimals;
    text = fmt::format("{} {} are needed and {} may be used", shown(needed), name, shown(allowed));
  };
  check("DSP blocks", needs.dsp, limits.dsp);
  check("BRAM36", needs.bram36, limits.bram36);
  check("LUTs", needs.lut, limits.lut);
  check("flip-flops", needs.ff, limits.ff);
  return text;
}

int Platform::multiplier_blocks(int a, int b) const {
  return std::min(pieces(a, multiplier_a) * pieces(b, multiplier_b),
                  pieces(b, multiplier_a) * pieces(a, multiplier_b));
}

Platform load_platform(const std::filesystem::path& path) {
  auto platform = read_options<Platform>(ConfigNode::from_yaml_file(path));
  if (platform.name.empty()) platform.name = path.stem().string();
  check(platform, path.string());
  return platform;
}

Platform find_platform(const std::string& name, const std::filesystem::path& folder) {
  if (std::filesystem::is_regular_file(name)) return load_platform(name);
  const auto file = folder / (name + ".yaml");
  if (std::filesystem::is_regular_file(file)) return load_platform(file);
  std::vector<std::string> known;
  if (std::filesystem::is_directory(folder)) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".yaml") known.push_back(entry.path().stem().string());
    }
  }
  std::sort(known.begin(), known.end());
  throw UsageError(fmt::format("platform '{}' is neither a file nor one of {}{} (known: {})", name,
                               folder.string(), did_you_mean(name, known), join(known, ", ")));
}

Resources memory_cost(long long width, long long depth) {
  Resources cost;
  if (width <= 0 || depth <= 0) return cost;
  if (depth <= kDeepestLutram) {
    // 6 bits of 32 words or 3 bits of 64 words take four LUTs (RAM32M, RAM64M).
    const long long bits = depth <= 32 ? 6 : 3;
    const long long groups = (width + bits - 1) / bits;
    cost.lut = cost.lutram = 4.0 * static_cast<double>(groups);
    return cost;
  }
  // A BRAM18 holds 512 x 36, 1024 x 18, ... 16384 x 1; two of them are a BRAM36.
  double fewest = HUGE_VAL;
  for (long long bits = 36, words = 512; bits >= 1; bits /= 2, words *= 2) {
    const long long across = (width + bits - 1) / bits;
    const long long along = (depth + words - 1) / words;
    fewest = std::min(fewest, 0.5 * static_cast<double>(across * along));
  }
  cost.bram36 = fewest;
  return cost;
}

Resources stream_cost(long long width, long long depth) {
  if (depth > kShiftRegister) return memory_cost(width, depth);
  Resources cost;
  // A shift register of up to 32 bits is one LUT.
  if (width > 0 && depth > 0) cost.lut = cost.lutram = static_cast<double>(width);
  return cost;
}

}  // namespace ernn
