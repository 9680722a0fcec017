// The datapath functions on the host, against the vectors that scripts/rtl feeds to their Verilog.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "functions.h"

namespace ernn {
namespace rtl {

/// Hexadecimal words, the highest first.
template <int Bits>
bool parse(const std::string& hex, WideWord<Bits>& word) {
  constexpr auto count = static_cast<std::size_t>(WideWord<Bits>::count);
  if (hex.size() != 16 * count) return false;
  for (std::size_t i = 0; i < count; ++i)
    word.parts[i] = std::stoull(hex.substr(hex.size() - 16 * (i + 1), 16), nullptr, 16);
  return true;
}

/// Whether every vector of FOLDER/NAME.txt gives its result; prints what was found.
template <class Function>
bool check(const std::string& folder, const std::string& name) {
  std::ifstream file(folder + "/" + name + ".txt");
  long vectors = 0, different = 0;
  std::string in_text, out_text;
  while (file >> in_text >> out_text) {
    WideWord<Function::input_bits> in;
    WideWord<Function::output_bits> out, expected;
    if (!parse(in_text, in) || !parse(out_text, expected)) {
      std::printf("%s: vector %ld has another size than the function\n", name.c_str(), vectors);
      return false;
    }
    Function::run(in, out);
    ++vectors;
    if (!std::equal(out.parts, out.parts + out.count, expected.parts)) ++different;
  }
  std::printf("%-28s vectors %6ld different %6ld\n", name.c_str(), vectors, different);
  return vectors > 0 && different == 0;
}

}  // namespace rtl
}  // namespace ernn
