// Random numbers that are the same everywhere: std::mt19937_64 is fixed by the standard, the
// distributions of <random> are not.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>

namespace ernn {

/// One independent stream for each (seed, name), so that drawing more numbers in one place changes
/// nothing elsewhere.
class CorpusRandom {
 public:
  CorpusRandom(std::uint64_t seed, std::string_view name) : engine_(mix(seed, name)) {}

  std::uint64_t bits() { return engine_(); }

  /// In [0, 1), 53 random bits.
  double uniform() { return static_cast<double>(engine_() >> 11U) * 0x1.0p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }

  /// In [0, count). The bias of taking the product's upper part is below count / 2^53.
  std::size_t index(std::size_t count) {
    return static_cast<std::size_t>(uniform() * static_cast<double>(count));
  }

  /// Standard normal (Box and Muller, one of the pair).
  double normal() {
    constexpr double kTwoPi = 6.283185307179586;
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(kTwoPi * uniform());
  }

 private:
  /// FNV-1a over the name, then the finaliser of splitmix64 so that near seeds give far streams.
  static std::uint64_t mix(std::uint64_t seed, std::string_view name) {
    std::uint64_t hash = 14695981039346656037ULL;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    hash += seed * 0x9E3779B97F4A7C15ULL;
    hash = (hash ^ (hash >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    hash = (hash ^ (hash >> 27U)) * 0x94D049BB133111EBULL;
    return hash ^ (hash >> 31U);
  }

  std::mt19937_64 engine_;
};

}  // namespace ernn
