// What the testbench puts in place of the kernel's NoProbe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernel/types.h"
#include "testbench/signal_info.h"

namespace ernn::testbench {

/// How often the limit acted, by signal.
struct Counters {
  std::vector<std::int64_t> saturated;

  explicit Counters(std::size_t signals) : saturated(signals, 0) {}
};

/// Counts limits only.
class CountingProbe {
 public:
  explicit CountingProbe(Counters& counters) : counters_(&counters) {}
  template <class T>
  void value(int /*signal*/, int /*index*/, const T& /*value*/) const {}
  void saturated(int signal) const { ++counters_->saturated[static_cast<std::size_t>(signal)]; }

 private:
  Counters* counters_;
};

/// Every value of every signal, frame after frame.
class Recorder {
 public:
  template <std::size_t N>
  explicit Recorder(const SignalInfo (&signals)[N]) : counters(N), codes_(N), written_(N, 0) {
    for (const SignalInfo& signal : signals) {
      lengths_.push_back(static_cast<std::size_t>(signal.length));
    }
  }

  /// Element `index` of the signal's current frame. An element outside the signal, which would be
  /// a wrong list of signals, throws std::out_of_range.
  void put(int signal, int index, std::int64_t code) {
    const auto s = static_cast<std::size_t>(signal);
    const std::size_t length = lengths_.at(s);
    if (index < 0 || static_cast<std::size_t>(index) >= length) {
      throw std::out_of_range("element " + std::to_string(index) + " of signal " +
                              std::to_string(signal) + ", which has " + std::to_string(length));
    }
    const std::size_t frame = written_[s]++ / length;
    if (codes_[s].size() < (frame + 1) * length) codes_[s].resize((frame + 1) * length, kUnwritten);
    codes_[s][frame * length + static_cast<std::size_t>(index)] = code;
  }
  const std::vector<std::int64_t>& codes(std::size_t signal) const { return codes_[signal]; }

  Counters counters;

 private:
  /// No code of any format, so an element that was never written compares unequal.
  static constexpr std::int64_t kUnwritten = INT64_MIN;
  std::vector<std::vector<std::int64_t>> codes_;
  std::vector<std::size_t> lengths_;
  std::vector<std::size_t> written_;
};

/// Records every value and counts limits.
class RecordingProbe {
 public:
  explicit RecordingProbe(Recorder& recorder) : recorder_(&recorder) {}
  template <class T>
  void value(int signal, int index, const T& value) const {
    recorder_->put(signal, index, kernel::Codes<T>::code(value).to_int64());
  }
  void saturated(int signal) const {
    ++recorder_->counters.saturated[static_cast<std::size_t>(signal)];
  }

 private:
  Recorder* recorder_;
};

}  // namespace ernn::testbench
