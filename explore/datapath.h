// What the kernel's pure datapath functions cost (docs/hardware.md, Datapath table): measured where
// a measurement is there, otherwise assumed from counted operations.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "explore/platform.h"
#include "explore/widths.h"

namespace ernn {

enum class CostSource { measured, assumed };
const std::vector<std::pair<CostSource, const char*>>& enum_names(CostSource);

/// One function for one set of widths. Takes a new input every `interval` clocks and gives the
/// result `depth` clocks later.
struct DatapathCost {
  std::string function;               ///< one of datapath_functions()
  int k = 1;                          ///< block size; 1 where there is none
  std::map<std::string, int> widths;  ///< bits by operand
  int depth = 0;                      ///< clocks
  int interval = 1;                   ///< clocks
  double lut = 0, ff = 0;
  int dsp = 0;
  double period_ns = 5;  ///< clock period that the depth was found for
  std::string tool;      ///< what measured it, or the formula's name
  CostSource source = CostSource::measured;
};

template <class Visitor>
void describe(Visitor& field, DatapathCost& o) {
  field("function", o.function, "datapath function");
  field("k", o.k, "block size");
  field("widths", o.widths, "bits by operand");
  field("depth", o.depth, "clocks from input to output");
  field("interval", o.interval, "clocks from input to input");
  field("lut", o.lut, "LUTs");
  field("ff", o.ff, "flip-flops");
  field("dsp", o.dsp, "DSP blocks");
  field("period_ns", o.period_ns, "target clock period, ns");
  field("tool", o.tool, "what measured it");
  field("source", o.source, "measured or assumed");
}

/// The functions that a kernel's datapath is made of, for which costs are asked.
const std::vector<std::string>& datapath_functions();

/// How an activation function is looked up. pieces: start and slope of straight pieces, as
/// deployed. ends: the pieces' ends alone, in two banks, with the slope as their difference. plain:
/// a result for each segment and nothing between.
enum class LookupKind { pieces, ends, plain };
const std::vector<std::pair<LookupKind, const char*>>& enum_names(LookupKind);

/// Costs of one platform at its clock. Every answer is remembered, so that an estimate can list
/// what it rests on.
class DatapathTable {
 public:
  explicit DatapathTable(Platform platform) : platform_(std::move(platform)) {}

  /// Adds the measurements of a file of results (explore/synthesis_results.h): those of datapath
  /// functions; whole models are left out. They are taken where function, k, widths and period
  /// agree exactly. Throws DataError naming file and entry: a function that is not known, was
  /// measured twice, differs from the emulator, lacks a number or does not take an input every
  /// clock.
  void add_measurements(const std::filesystem::path& path);

  /// A block to its spectrum, narrowed. Widths: input, spectrum.
  DatapathCost forward_fft(int k, const MatrixWidths& widths);
  /// One block product, added to a sum. Widths: weight, spectrum, terms (added over a block row).
  DatapathCost block_product(int k, const MatrixWidths& widths, int terms);
  /// k sums narrowed. Widths: sum (wide), to.
  DatapathCost narrowing(int k, int from, int to);
  /// A block of narrowed sums to products. Widths: sum, product.
  DatapathCost inverse_fft(int k, const MatrixWidths& widths);
  /// One LSTM cell. Widths: product, cell, preactivation, gate.
  DatapathCost lstm_cell(const LayerWidths& widths, bool peepholes);
  /// z and r of one GRU unit, and r . h when `resets`. Widths: product, preactivation, gate.
  DatapathCost gru_gates(const LayerWidths& widths, bool resets);
  /// Candidate and h' of one GRU unit; `resets`: the product with r as well.
  DatapathCost gru_candidate(const LayerWidths& widths, bool resets);
  /// Bias and activation function of one output of a feed-forward layer.
  DatapathCost output(const LayerWidths& widths, bool table);
  /// One sigmoid or tanh. Widths: preactivation, gate, segments.
  DatapathCost activation(LookupKind kind, const LayerWidths& widths);

  const Platform& platform() const { return platform_; }
  /// The same table with nothing asked for yet.
  DatapathTable fresh() const;
  /// Everything asked for so far, in the order of function, k, widths.
  std::vector<DatapathCost> used() const;

 private:
  struct Operations;
  DatapathCost find(const std::string& function, int k, std::map<std::string, int> widths,
                    const Operations& operations);
  Operations lookup(LookupKind kind, const LayerWidths& widths) const;

  Platform platform_;
  std::vector<DatapathCost> measured_;
  std::map<std::string, DatapathCost> used_;
};

}  // namespace ernn
