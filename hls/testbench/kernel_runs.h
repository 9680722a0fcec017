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

/// The kernel's argument `reset` for every stream.
constexpr unsigned kAllStreams = ~0U;

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
  model::run(static_cast<int>(frames), 1, kAllStreams, in, weights, *state, out, probe);
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
  ernn_top(in, out, static_cast<int>(half), 1, kAllStreams, *state);
  drain(out, logits);
  logits.clear();
  fill(in, input, 0, half);
  ernn_top(in, out, static_cast<int>(half), 1, kAllStreams, *state);
  fill(in, input, half, frames - half);
  ernn_top(in, out, static_cast<int>(frames - half), 1, 0, *state);
  drain(out, logits);
  return logits;
}

/// Every stream of the kernel runs all frames, interleaved: stream s begins them s calls later
/// than stream 0 and is reset then, so that no two are at the same place, and every third call
/// leaves streams out, which go on in the next one. Returns the logits of each stream.
inline std::vector<CodeVector> run_interleaved(const CodeVector& input, std::size_t frames) {
  constexpr auto streams = static_cast<std::size_t>(model::kStreams);
  constexpr auto outputs = static_cast<std::size_t>(model::kOutputs);
  const auto state = std::make_unique<model::State>();
  std::vector<CodeVector> logits(streams);
  std::vector<std::size_t> next(streams, 0);
  for (std::size_t call = 0; next.back() < frames; ++call) {
    const std::size_t running = call % 3 == 2 ? 1 + call / 3 % streams : streams;
    ::hls::stream<model::InputCode> in("input");
    ::hls::stream<model::LogitCode> out("output");
    unsigned reset = 0;
    for (std::size_t s = 0; s < running; ++s) {
      fill(in, input, next[s] % frames, 1);
      if (call >= s && next[s] == 0) reset |= 1U << s;
    }
    ernn_top(in, out, 1, static_cast<int>(running), reset, *state);
    CodeVector codes;
    drain(out, codes);
    for (std::size_t s = 0; s < running; ++s) {
      if (call < s || next[s] == frames) continue;
      const auto first = codes.begin() + static_cast<std::ptrdiff_t>(s * outputs);
      logits[s].insert(logits[s].end(), first, first + static_cast<std::ptrdiff_t>(outputs));
      ++next[s];
    }
  }
  return logits;
}

/// All frames through ernn_top_loadable with weights from an image: loaded in one call, used in the
/// next.
inline CodeVector run_top_loadable(const CodeVector& input, std::size_t frames,
                                   const std::string& image) {
  ::hls::stream<ap_int<32>> weights("weights");
  ::hls::stream<model::InputCode> in("input");
  ::hls::stream<model::LogitCode> out("output");
  const auto state = std::make_unique<model::State>();
  ImageReader(image).write_to(weights);
  ernn_top_loadable(weights, in, out, 0, 1, kAllStreams, true, *state);
  CodeVector logits;
  fill(in, input, 0, frames);
  ernn_top_loadable(weights, in, out, static_cast<int>(frames), 1, kAllStreams, false, *state);
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
