// What a synthesis tool made of a part of the kernel, one object a configuration
// (docs/hardware.md, "Synthesis results").
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ernn {

enum class ResultSource {
  measured,      ///< made, run and counted by this project's scripts
  vendor_report  ///< read from a vendor tool's reports
};
const std::vector<std::pair<ResultSource, const char*>>& enum_names(ResultSource);

/// One configuration. A number that nobody knows is absent.
struct SynthesisResult {
  std::string name;                   ///< of the configuration; no other has it
  std::string function;               ///< datapath function (docs/hardware.md); "": a whole model
  int k = 1;                          ///< block size; 1 where there is none
  std::map<std::string, int> widths;  ///< bits by operand
  std::optional<std::int64_t> mismatches;  ///< values that differ from the emulator's
  std::optional<std::int64_t> vectors;     ///< values compared
  std::optional<double> cycles_per_frame;
  std::optional<double> interval;     ///< clocks from input to input
  std::optional<std::int64_t> depth;  ///< clocks from input to output, or of a whole call
  std::optional<double> lut, ff, dsp;
  std::optional<double> bram;               ///< in BRAM36; half a one is 18 kbit
  std::optional<double> uram;               ///< UltraRAM blocks
  std::optional<double> period_ns;          ///< clock period that the tool was asked for
  std::optional<double> reached_ns;         ///< clock period that it says it reaches
  std::map<std::string, double> available;  ///< what the device has, by the names above
  std::string tool;
  ResultSource source = ResultSource::measured;
};

template <class Visitor>
void describe(Visitor& field, SynthesisResult& o) {
  field("name", o.name, "configuration");
  field("function", o.function, "datapath function, empty for a whole model");
  field("k", o.k, "block size");
  field("widths", o.widths, "bits by operand");
  field("mismatches", o.mismatches, "values that differ from the emulator's");
  field("vectors", o.vectors, "values compared");
  field("cycles_per_frame", o.cycles_per_frame, "clocks a frame");
  field("interval", o.interval, "clocks from input to input");
  field("depth", o.depth, "clocks from input to output");
  field("lut", o.lut, "LUTs");
  field("ff", o.ff, "flip-flops");
  field("dsp", o.dsp, "DSP blocks");
  field("bram", o.bram, "BRAM36 blocks");
  field("uram", o.uram, "UltraRAM blocks");
  field("period_ns", o.period_ns, "clock period asked for, ns");
  field("reached_ns", o.reached_ns, "clock period reached by the tool's estimate, ns");
  field("available", o.available, "what the device has");
  field("tool", o.tool, "what made and measured it");
  field("source", o.source, "measured or vendor report");
}

/// The results of a JSON file: an array of objects with the fields above, or one object. Throws
/// DataError naming file, entry, key, found and expected; names given twice are refused.
std::vector<SynthesisResult> read_synthesis_results(const std::filesystem::path& path);

/// Writes an array, one object a line, every field written out (null: absent).
void write_synthesis_results(const std::filesystem::path& path,
                             const std::vector<SynthesisResult>& results);

/// Throws DataError when two results have the same name; `place` begins the message.
void refuse_repeated_names(const std::vector<SynthesisResult>& results, const std::string& place);

/// A line for each result in the order given, "-" where a number is absent; then how much of its
/// device each takes, where that is known, and how many differ from the emulator.
std::string synthesis_table(const std::vector<SynthesisResult>& results);

}  // namespace ernn
