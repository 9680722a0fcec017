// The rest of a feed-forward layer behind its product (docs/arithmetic.md, Layers): bias and
// activation function. The output layer is one without an activation function.
//
// A layer configuration L (generated) has
//   int size, outputs            the same number
//   int activation               kActivationNone, ...
//   preactivation_signal, output_signal                     numbers for the probe
//   matrix InputMatrix (circulant_product.h), without gates
//   types Bias, Preactivation, Output
//   type BiasCode                how its codes are stored
//   table Table (activation.h)   with sigmoid and tanh only
#pragma once

#include "activation.h"
#include "matrix_vector.h"
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

/// What a feed-forward layer hands on in one transfer.
template <class L>
using FeedforwardBeat = Beat<typename L::Output, ProductBeat<typename L::InputMatrix>::size>;

/// The stage: reads products, writes the layer's outputs; `vectors` is the number of frames of all
/// streams together.
template <class L, class Probe>
void feedforward_stage(int vectors,
                       ::hls::stream<typename ProductBeat<typename L::InputMatrix>::type>& in,
                       const FeedforwardWeights<L>& weights, ::hls::stream<FeedforwardBeat<L>>& out,
                       Probe probe) {
  typedef ProductBeat<typename L::InputMatrix> Product;
  ERNN_BANKS(weights.bias, 1, Product::size)
  ERNN_BEFORE_ROLLED
  for (int v = 0; v < vectors; ++v) {
    ERNN_BEFORE_ROLLED
    for (int first = 0; first < L::size; first += Product::size) {
      ERNN_PIPELINE
      const typename Product::type beat = in.read();
      FeedforwardBeat<L> output;
      ERNN_BEFORE_UNROLL
      for (int n = 0; n < Product::size; ++n) {
        ERNN_UNROLL
        const int unit = first + n;
        output.at[n] = 0;
        if (unit < L::size) {
          const typename L::Bias bias = from_code<typename L::Bias>(weights.bias[unit]);
          const FeedforwardSum<L> sum = beat.at[n] + bias;
          output.at[n] = FeedforwardOutput<L, L::activation>::run(sum, unit, probe);
          probe.value(L::output_signal, unit, output.at[n]);
        }
      }
      out.write(output);
    }
  }
}

}  // namespace kernel
}  // namespace ernn
