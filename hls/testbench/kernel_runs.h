// Runs of the kernel on arrays of codes: with a probe, and through the synthesisable top functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model.h"
#include "testbench/probes.h"
#include "testbench/weights_image.h"
#include "top.h"

namespace ernn::testbench {

/// Codes, frames one after the other.
using CodeVector = std::vector<std::int64_t>;

/// A stream of the codes of frames `first` ... `first + frames - 1`.
inline void fill(::hls::stream<model::InputCode>& stream, const CodeVector& codes,
                 std::size_t first, std::size_t frames) {
  constexpr auto width = static_cast<std::size_t>(model::kInputs);
  for (std::size_t i = first * width; i < (first + frames) * width; ++i) {
    stream.write(model::InputCode(codes[i]));
  }
}

inline void drain(::hls::stream<model::LogitCode>& stream, CodeVector& codes) {
  while (!stream.empty()) codes.push_back(stream.read().to_int64());
}

/// All frames from a reset state, watched by `probe`; returns the logits.
template <class Probe>
CodeVector run_watched(const CodeVector& input, std::size_t frames, const model::Weights& weights,
                       Probe probe) {
  ::hls::stream<model::InputCode> in("input");
  ::hls::stream<model::LogitCode> out("output");
  const auto state = std::make_unique<model::State>();
  fill(in, input, 0, frames);
  model::run(static_cast<int>(frames), true, in, weights, *state, out, probe);
  CodeVector logits;
  drain(out, logits);
  return logits;
}

/// All frames through ernn_top in two calls, so that the state has to survive between them. The
/// state starts filled with what an earlier run left, so that reset has to clear it.
inline CodeVector run_top(const CodeVector& input, std::size_t frames) {
  ::hls::stream<model::InputCode> in("input");
  ::hls::stream<model::LogitCode> out("output");
  const auto state = std::make_unique<model::State>();
  CodeVector logits;
  const std::size_t half = frames / 2;
  fill(in, input, 0, half);
  ernn_top(in, out, static_cast<int>(half), true, *state);
  drain(out, logits);
  logits.clear();
  fill(in, input, 0, half);
  ernn_top(in, out, static_cast<int>(half), true, *state);
  fill(in, input, half, frames - half);
  ernn_top(in, out, static_cast<int>(frames - half), false, *state);
  drain(out, logits);
  return logits;
}

/// All frames through ernn_top_loadable with weights from an image.
inline CodeVector run_top_loadable(const CodeVector& input, std::size_t frames,
                                   const model::Weights& weights) {
  ::hls::stream<model::InputCode> in("input");
  ::hls::stream<model::LogitCode> out("output");
  const auto state = std::make_unique<model::State>();
  CodeVector logits;
  fill(in, input, 0, frames);
  ernn_top_loadable(in, out, static_cast<int>(frames), true, *state, weights);
  drain(out, logits);
  return logits;
}

/// Weights from an image. Throws std::runtime_error when it is not one of this network.
inline std::unique_ptr<model::Weights> load_weights(const std::string& path) {
  auto weights = std::make_unique<model::Weights>();
  ImageReader image(path);
  model::load(image, *weights);
  image.finish();
  return weights;
}

}  // namespace ernn::testbench
