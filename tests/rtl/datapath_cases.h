// The kernel's datapath functions, each with inputs and the results that the emulator gives: what
// scripts/rtl proves.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "export/quantised_network.h"

namespace ernn::rtl {

struct DatapathCase {
  std::string name;                   ///< "forward_fft_k8_12_16"
  std::string function;               ///< as in docs/hardware.md, Datapath table
  int k = 1;                          ///< block size, 1 where there is none
  std::map<std::string, int> widths;  ///< bits by operand
  std::string type;  ///< of functions.h: "ForwardTransform<ernn::model::Layer0Input>"
  int input_bits = 0, output_bits = 0;
  std::vector<std::string> lines;  ///< input and result of each vector, as hexadecimal words
};

/// Input frames for a network: half of them smooth, as speech is, half anything that the input
/// format holds, so that limits act.
std::vector<std::vector<std::int32_t>> proof_frames(const QuantisedNetwork& network, int frames,
                                                    unsigned seed);

/// A case for every function and set of widths of the network, from the signals that the emulator
/// computes over `frames`; at most `limit` vectors each.
std::vector<DatapathCase> datapath_cases(const QuantisedNetwork& network,
                                         const std::vector<std::vector<std::int32_t>>& frames,
                                         std::size_t limit);

}  // namespace ernn::rtl
