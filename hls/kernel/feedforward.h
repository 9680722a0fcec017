// The rest of a feed-forward layer behind its product (docs/arithmetic.md, Layers): bias and
// activation function. The output layer is one without an activation function.
//
// A layer configuration L (generated) has
//   int size, outputs            the same number
//   int activation               kActivationNone, ...
//   int output_beat              elements handed on in one transfer
//   preactivation_signal, output_signal                     numbers for the probe
//   matrix InputMatrix (circulant_product.h)
//   types Bias, Preactivation, Output
//   type BiasCode                how its codes are stored
//   table Table (activation.h)   with sigmoid and tanh only
#pragma once

#include "activation.h"
#include "circulant_product.h"
#include "types.h"

namespace ernn {
namespace kernel {

constexpr int kActivationNone = 0;
constexpr int kActivationRelu = 1;
constexpr int kActivationTable = 2;

template <class L>
struct FeedforwardWeights {
  MatrixWeights<typename L::InputMatrix> input;
  typename L::BiasCode bias[L::size];
};

/// W x + b, exact.
template <class L>
using FeedforwardSum = Sum<typename L::InputMatrix::Product, typename L::Bias>;

template <class L, int Activation>
struct FeedforwardOutput {
  template <class Probe>
  static typename L::Output run(const FeedforwardSum<L>& sum, int /*unit*/, Probe probe) {
    ERNN_INLINE
    const FeedforwardSum<L> zero = 0;
    const FeedforwardSum<L> rectified = Activation == kActivationRelu && sum < zero ? zero : sum;
    return narrow<typename L::Output>(rectified, probe, L::output_signal);
  }
};
template <class L>
struct FeedforwardOutput<L, kActivationTable> {
  template <class Probe>
  static typename L::Output run(const FeedforwardSum<L>& sum, int unit, Probe probe) {
    ERNN_INLINE
    const typename L::Preactivation pre =
        narrow<typename L::Preactivation>(sum, probe, L::preactivation_signal);
    probe.value(L::preactivation_signal, unit, pre);
    return activate<typename L::Table, typename L::Output>(pre);
  }
};

/// The stage: reads the product of each frame, writes the layer's output.
template <class L, class Probe>
void feedforward_stage(
    int frames, ::hls::stream<Beat<typename L::InputMatrix::Product, L::InputMatrix::block>>& in,
    const FeedforwardWeights<L>& weights,
    ::hls::stream<Beat<typename L::Output, L::output_beat>>& out, Probe probe) {
  typedef typename L::InputMatrix M;
  ERNN_BEFORE_ROLLED
  for (int t = 0; t < frames; ++t) {
    typename L::Output output[L::size];
    ERNN_BEFORE_ROLLED
    for (int i = 0; i < MatrixSizes<M>::p; ++i) {
      ERNN_PIPELINE
      const Beat<typename M::Product, M::block> beat = in.read();
      ERNN_BEFORE_UNROLL
      for (int n = 0; n < M::block; ++n) {
        ERNN_UNROLL
        const int unit = i * M::block + n;
        if (unit < L::size) {
          const typename L::Bias bias = from_code<typename L::Bias>(weights.bias[unit]);
          const FeedforwardSum<L> sum = beat.at[n] + bias;
          output[unit] = FeedforwardOutput<L, L::activation>::run(sum, unit, probe);
          probe.value(L::output_signal, unit, output[unit]);
        }
      }
    }
    write_blocks(output, out);
  }
}

}  // namespace kernel
}  // namespace ernn
