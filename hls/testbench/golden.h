// The proof: every golden signal of an artefact against the kernel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "io/npy.h"
#include "io/sha256.h"
#include "signals.h"
#include "testbench/compare.h"
#include "testbench/kernel_runs.h"

namespace ernn::testbench {

/// Checks the hashes of the artefact's data. Sources in hls/ may be edited (folds, for example) and
/// are proved by the comparison, so of that folder only the image of weights counts.
inline void check_hashes(const std::string& artefact) {
  std::set<std::string> checked;
  for (const hls::HashedFile& file : hls::read_sha256sums(artefact + "/SHA256SUMS")) {
    if (file.name.rfind("hls/", 0) == 0 && file.name != "hls/weights.bin") continue;
    hls::check_hash(artefact, file);
    checked.insert(file.name);
  }
  for (const auto& entry : std::filesystem::directory_iterator(artefact + "/golden")) {
    if (checked.count("golden/" + entry.path().filename().string()) == 0)
      throw std::runtime_error(entry.path().string() + ": is not listed in SHA256SUMS");
  }
}

/// Frames of input, [frames, inputs], whose codes all fit the input's format.
inline hls::NpyArray read_frames(const std::string& path) {
  hls::NpyArray array = hls::read_npy(path);
  if (array.shape.size() != 2 || array.shape[0] == 0 ||
      array.shape[1] != static_cast<std::size_t>(model::kInputs)) {
    throw std::runtime_error(path + ": expected shape (frames, " + std::to_string(model::kInputs) +
                             "), found " + hls::npy_detail::shape_text(array.shape));
  }
  constexpr std::int64_t limit = std::int64_t{1} << (model::kInputBits - 1);
  for (std::size_t i = 0; i < array.values.size(); ++i) {
    const std::int64_t code = array.values[i];
    if (-limit <= code && code < limit) continue;
    throw std::runtime_error(path + ": frame " + std::to_string(i / array.shape[1]) + " has code " +
                             std::to_string(code) + " at index " +
                             std::to_string(i % array.shape[1]) + ", expected " +
                             std::to_string(-limit) + " to " + std::to_string(limit - 1) +
                             ", the " + std::to_string(model::kInputBits) + " bits of an input");
  }
  return array;
}

/// Compares every signal of one recorded run with golden/.
inline Report compare_signals(const std::string& golden, std::size_t frames,
                              const Recorder& recorder) {
  Report report;
  for (std::size_t s = 0; s < std::size(model::kSignals); ++s) {
    const SignalInfo& signal = model::kSignals[s];
    const auto length = static_cast<std::size_t>(signal.length);
    try {
      const hls::NpyArray expected =
          hls::read_npy(golden + "/" + signal.name + ".npy", {frames, length});
      report.add(compare_values(signal.name, length, recorder.codes(s), expected.values));
    } catch (const std::runtime_error& error) {
      report.problem(signal.name, error.what());
    }
  }
  return report;
}

/// Golden files that belong to no signal of this kernel.
inline void refuse_extra_files(const std::string& golden, Report& report) {
  std::set<std::string> known = {"input.npy", "long_input.npy", "logits.npy"};
  for (const SignalInfo& signal : model::kSignals) known.insert(std::string(signal.name) + ".npy");
  for (const auto& entry : std::filesystem::directory_iterator(golden)) {
    const std::string name = entry.path().filename().string();
    if (known.count(name) == 0) report.problem(name, "EXTRA: no signal of the kernel");
  }
}

/// Runs everything and prints a table each; true only when all is equal.
inline bool prove(const std::string& artefact) {
  check_hashes(artefact);
  const std::string golden = artefact + "/golden";
  const hls::NpyArray input = read_frames(golden + "/input.npy");
  const std::size_t frames = input.shape[0];
  const auto image = load_weights(artefact + "/hls/weights.bin");
  bool passed = true;
  const auto conclude = [&](const Report& report, const std::string& title) {
    std::cout << report.text(title);
    passed = passed && report.passed();
  };

  Recorder with_rom(model::kSignals);
  run_watched(input.values, frames, model::rom(), RecordingProbe(with_rom));
  Report rom_report = compare_signals(golden, frames, with_rom);
  refuse_extra_files(golden, rom_report);
  conclude(rom_report, "ROM weights, every signal of " + std::to_string(frames) + " frames");

  Recorder with_image(model::kSignals);
  run_watched(input.values, frames, *image, RecordingProbe(with_image));
  conclude(compare_signals(golden, frames, with_image), "weights.bin, every signal");

  const hls::NpyArray long_input = read_frames(golden + "/long_input.npy");
  const std::size_t long_frames = long_input.shape[0];
  const auto outputs = static_cast<std::size_t>(model::kOutputs);
  const hls::NpyArray long_logits = hls::read_npy(golden + "/logits.npy", {long_frames, outputs});
  Report long_report;
  long_report.add(compare_values("logits, ROM, two calls", outputs,
                                 run_top(long_input.values, long_frames), long_logits.values));
  long_report.add(compare_values(
      "logits, weights.bin", outputs,
      run_top_loadable(long_input.values, long_frames, artefact + "/hls/weights.bin"),
      long_logits.values));
  for (const CodeVector& logits : run_interleaved(long_input.values, long_frames)) {
    long_report.add(compare_values("logits, interleaved", outputs, logits, long_logits.values));
  }
  conclude(long_report, "top functions, " + std::to_string(long_frames) + " frames");
  return passed;
}

}  // namespace ernn::testbench
