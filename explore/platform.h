// FPGAs and what is assumed about them (configs/platforms).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ernn {

/// What a device has of each resource, or what a design takes.
struct Resources {
  double dsp = 0;
  double bram36 = 0;  ///< memories of 36 kbit; half of one is 18 kbit
  double lut = 0;     ///< including those used as memory
  double lutram = 0;  ///< LUTs used as memory
  double ff = 0;

  Resources& operator+=(const Resources& other);
};
Resources operator*(double factor, Resources resources);

/// Delays of the operations that a datapath is made of, in ns, routing included, and LUTs they
/// take. Assumed: nothing here was measured on a device.
struct LogicAssumptions {
  double adder_ns = 1.5;
  double multiplier_ns = 4.0;
  double narrow_ns = 2.0;  ///< rounding and limiting
  double lookup_ns = 1.5;  ///< a table in LUTs
  double usable_period =
      0.73;  ///< share of the period that logic may fill; the rest is uncertainty
  double lut_per_adder_bit = 1;
  double lut_per_narrowed_bit = 2;
  double lut_per_stage = 150;  ///< counters and handshake of a process
  double ff_per_stage = 200;
};

/// What an operation takes. Assumed, in the order of magnitude of vendors' power spreadsheets.
struct EnergyAssumptions {
  double static_w = 1.5;
  double multiply_pj = 6;      ///< one DSP block for one clock
  double bram36_read_pj = 12;  ///< one BRAM36 for one clock
  double lut_pj = 0.03;        ///< one LUT of an active stage for one clock
  double ff_pj = 0.01;         ///< one flip-flop's clock for one clock
};

struct Platform {
  std::string name;
  std::string device;
  int dsp = 0;
  double bram36 = 0;
  int uram = 0;  ///< UltraRAM blocks; the estimate does not use them
  int lut = 0;
  int ff = 0;
  int multiplier_a = 18, multiplier_b = 27;  ///< signed widths of one DSP block's multiplier
  double clock_mhz = 200;
  double usable = 0.9;  ///< share of each resource that a design may take
  LogicAssumptions logic;
  EnergyAssumptions energy;

  Resources limits() const;  ///< usable share of what the device has
  double period_ns() const { return 1000 / clock_mhz; }
  /// DSP blocks of a product of signed a x b bits.
  int multiplier_blocks(int a, int b) const;
};

template <class Visitor>
void describe(Visitor& field, LogicAssumptions& o) {
  field("adder_ns", o.adder_ns, "delay of an addition, ns");
  field("multiplier_ns", o.multiplier_ns, "delay of a multiplication, ns");
  field("narrow_ns", o.narrow_ns, "delay of rounding and limiting, ns");
  field("lookup_ns", o.lookup_ns, "delay of a table, ns");
  field("usable_period", o.usable_period, "share of the period that logic may fill");
  field("lut_per_adder_bit", o.lut_per_adder_bit, "LUTs of an adder, for each bit");
  field("lut_per_narrowed_bit", o.lut_per_narrowed_bit, "LUTs of a narrowing, for each bit");
  field("lut_per_stage", o.lut_per_stage, "LUTs of a process's control");
  field("ff_per_stage", o.ff_per_stage, "flip-flops of a process's control");
}

template <class Visitor>
void describe(Visitor& field, EnergyAssumptions& o) {
  field("static_w", o.static_w, "power at rest, W");
  field("multiply_pj", o.multiply_pj, "a DSP block for one clock, pJ");
  field("bram36_read_pj", o.bram36_read_pj, "a BRAM36 for one clock, pJ");
  field("lut_pj", o.lut_pj, "a LUT for one clock, pJ");
  field("ff_pj", o.ff_pj, "a flip-flop's clock for one clock, pJ");
}

template <class Visitor>
void describe(Visitor& field, Platform& o) {
  field("name", o.name, "board");
  field("device", o.device, "FPGA");
  field("dsp", o.dsp, "DSP blocks");
  field("bram36", o.bram36, "BRAM36 blocks");
  field("uram", o.uram, "UltraRAM blocks");
  field("lut", o.lut, "6-input LUTs");
  field("ff", o.ff, "flip-flops");
  field("multiplier_a", o.multiplier_a, "bits of the DSP multiplier's narrow side");
  field("multiplier_b", o.multiplier_b, "bits of its wide side");
  field("clock_mhz", o.clock_mhz, "target clock, MHz");
  field("usable", o.usable, "share of each resource that a design may take");
  field("logic", o.logic, "assumed delays and LUTs");
  field("energy", o.energy, "assumed energies");
}

/// "300 DSP blocks are needed and 198 may be used": the first resource of which a design needs more
/// than Platform::limits() allows; "" when it fits.
std::string shortage(const Resources& needs, const Platform& platform);

/// Reads and checks a platform file. Throws UsageError naming file, key, found and expected.
Platform load_platform(const std::filesystem::path& path);

/// `name` is a file, or the name of one in `folder` without ".yaml". Throws UsageError with the
/// known names.
Platform find_platform(const std::string& name, const std::filesystem::path& folder);

/// LUTs or BRAM36 of a memory of `depth` words of `width` bits, one written and one read a clock:
/// LUTs up to 64 words, else the BRAM18 and BRAM36 shape that needs the fewest.
Resources memory_cost(long long width, long long depth);

/// LUTs of a stream of `depth` words in shift registers, or memory_cost() when that is deep.
Resources stream_cost(long long width, long long depth);

}  // namespace ernn
