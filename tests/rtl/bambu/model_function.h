// A frame of every stream through a whole network, as a function of one word. Weights are ROM, the
// state stays inside. Needs the project's model.h and weights.h.
#pragma once

#include "words.h"

namespace ernn {
namespace rtl {

/// Codes of the input, frame of stream 0 first, and logits of every stream.
template <int Streams>
struct ModelWords {
  static constexpr int width = model::InputCode::width;
  static constexpr int input_bits = Streams * model::kInputs * width;
  static constexpr int outputs = Streams * model::kOutputs;
};

/// What the network remembers between frames, and the last frame's logits.
template <int Streams>
struct ModelMemory {
  model::State state;
  model::LogitCode logits[ModelWords<Streams>::outputs];
};

/// Command bit 7: every stream starts from zero state. The other bits are the number of a logit;
/// number 0 runs the frame.
constexpr unsigned kResetCommand = 0x80;

template <int Streams>
long long run_command(const ap_uint<ModelWords<Streams>::input_bits>& frames, unsigned command,
                      ModelMemory<Streams>& memory) {
  ERNN_INLINE
  typedef ModelWords<Streams> Words;
  const unsigned number = command & ~kResetCommand;
  if (number == 0) {
    ::hls::stream<model::InputCode> input("input");
    ::hls::stream<model::LogitCode> output("output");
    ap_uint<Words::input_bits> rest = frames;
    ERNN_BEFORE_ROLLED
    for (int i = 0; i < Streams * model::kInputs; ++i) {
      const ap_uint<Words::width> bits = rest.range(Words::width - 1, 0);
      input.write(ap_int<Words::width>(bits));
      rest = rest >> Words::width;
    }
    const unsigned reset = (command & kResetCommand) != 0 ? ~0U : 0U;
    model::run(1, Streams, reset, input, model::kWeights, memory.state, output, kernel::NoProbe());
    ERNN_BEFORE_ROLLED
    for (int i = 0; i < Words::outputs; ++i) memory.logits[i] = output.read();
  }
  return memory.logits[number].to_int();
}

}  // namespace rtl
}  // namespace ernn
