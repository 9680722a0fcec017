// Comparison of what the kernel computed with what was exported, signal by signal, bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace ernn::testbench {

/// The result for one signal.
struct Comparison {
  std::string signal;
  std::size_t values = 0;      ///< compared
  std::size_t mismatches = 0;  ///< of these
  std::size_t frame = 0, index = 0;
  std::int64_t found = 0, expected = 0;  ///< at the first mismatch
  /// Why the comparison itself went wrong (a length, a missing file); empty when it did not.
  std::string problem;

  bool equal() const { return mismatches == 0 && problem.empty() && values > 0; }
};

/// Compares all values, `length` a frame. Different numbers of values are a problem, and what both
/// sides have is compared all the same.
inline Comparison compare_values(const std::string& signal, std::size_t length,
                                 const std::vector<std::int64_t>& found,
                                 const std::vector<std::int64_t>& expected) {
  Comparison result;
  result.signal = signal;
  if (found.size() != expected.size()) {
    result.problem = "found " + std::to_string(found.size()) + " values, expected " +
                     std::to_string(expected.size());
  } else if (expected.empty() || length == 0) {
    result.problem = "nothing to compare";
  }
  result.values = found.size() < expected.size() ? found.size() : expected.size();
  for (std::size_t i = 0; i < result.values; ++i) {
    if (found[i] == expected[i]) continue;
    if (result.mismatches == 0) {
      result.frame = length > 0 ? i / length : 0;
      result.index = length > 0 ? i % length : 0;
      result.found = found[i];
      result.expected = expected[i];
    }
    ++result.mismatches;
  }
  return result;
}

/// All comparisons of a run. It passes only when every one is equal and there was at least one.
class Report {
 public:
  void add(Comparison comparison) { comparisons_.push_back(std::move(comparison)); }
  /// A failure that belongs to no signal's values (a file that no signal asked for).
  void problem(const std::string& signal, const std::string& what) {
    Comparison comparison;
    comparison.signal = signal;
    comparison.problem = what;
    add(std::move(comparison));
  }

  bool passed() const {
    for (const Comparison& comparison : comparisons_) {
      if (!comparison.equal()) return false;
    }
    return !comparisons_.empty();
  }
  std::size_t values() const {
    std::size_t sum = 0;
    for (const Comparison& comparison : comparisons_) sum += comparison.values;
    return sum;
  }
  std::size_t mismatches() const {
    std::size_t sum = 0;
    for (const Comparison& comparison : comparisons_) sum += comparison.mismatches;
    return sum;
  }

  /// A table with a line a signal and the verdict.
  std::string text(const std::string& title) const {
    std::size_t width = 6;
    for (const Comparison& comparison : comparisons_) {
      if (comparison.signal.size() > width) width = comparison.signal.size();
    }
    std::string out = title + "\n" + line(width, "signal", "values", "mismatches", "");
    for (const Comparison& comparison : comparisons_) {
      out += line(width, comparison.signal, std::to_string(comparison.values),
                  std::to_string(comparison.mismatches), note(comparison));
    }
    return out + (passed() ? "equal: " : "DIFFERENT: ") + std::to_string(mismatches()) +
           " mismatches in " + std::to_string(values()) + " values" + origin() + "\n";
  }

 private:
  /// The signal that differs in the earliest frame; a recurrence spreads it to all others later.
  std::string origin() const {
    const Comparison* first = nullptr;
    for (const Comparison& comparison : comparisons_) {
      if (comparison.mismatches > 0 && (first == nullptr || comparison.frame < first->frame)) {
        first = &comparison;
      }
    }
    if (first == nullptr) return "";
    return ", starting at frame " + std::to_string(first->frame) + " in " + first->signal;
  }
  static std::string note(const Comparison& c) {
    std::string text = c.problem;
    if (c.mismatches > 0) {
      text += (text.empty() ? "" : "; ") + std::string("first at frame ") +
              std::to_string(c.frame) + " index " + std::to_string(c.index) + ": found " +
              std::to_string(c.found) + ", expected " + std::to_string(c.expected);
    }
    return text;
  }
  static std::string line(std::size_t width, const std::string& signal, const std::string& values,
                          const std::string& mismatches, const std::string& note) {
    const auto left = [](const std::string& text, std::size_t columns) {
      return text + std::string(columns > text.size() ? columns - text.size() : 0, ' ');
    };
    const auto right = [](const std::string& text, std::size_t columns) {
      return std::string(columns > text.size() ? columns - text.size() : 0, ' ') + text;
    };
    return "  " + left(signal, width) + right(values, 10) + right(mismatches, 12) +
           (note.empty() ? "" : "  " + note) + "\n";
  }

  std::vector<Comparison> comparisons_;
};

}  // namespace ernn::testbench
