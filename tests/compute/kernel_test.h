// What tests of the vector kernels share: every instruction set and number type, seeded numbers.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "compute/kernels.h"

namespace ernn::compute {

template <class T>
constexpr double kRounding = sizeof(T) == 4 ? 1.2e-7 : 2.3e-16;

template <class T>
std::vector<T> random_numbers(Index count, unsigned seed, double scale = 1) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal(0, scale);
  std::vector<T> numbers(static_cast<std::size_t>(count));
  for (auto& number : numbers) number = static_cast<T>(normal(engine));
  return numbers;
}

/// Calls check(isa, T()) for all instruction sets of this machine, for float and double.
template <class Function>
void for_all_kernels(Function check) {
  for (const Isa isa : available_isas()) {
    for (const auto& [value, name] : enum_names(Isa{})) {
      if (value != isa) continue;
      SCOPED_TRACE(name);
      check(isa, float{});
      check(isa, double{});
    }
  }
}

}  // namespace ernn::compute
