// The kernel's datapath functions as functions of one word that give one word: what scripts/rtl
// proves. M is a matrix configuration, L a layer's (both generated, config.h).
#pragma once

#include "kernel/network.h"
#include "tree_table.h"
#include "words.h"

namespace ernn {
namespace rtl {

/// A block of inputs to its spectrum, narrowed.
template <class M>
struct ForwardTransform {
  typedef kernel::TransformOf<M> Transform;
  static constexpr int input_bits = width_of<typename M::Input, M::block>();
  static constexpr int output_bits = width_of<typename M::Spectrum, M::block>();

  template <class In, class Out>
  static void run(const In& in, Out& out) {
    ERNN_INLINE
    kernel::Beat<typename M::Input, M::block> x;
    typename M::Spectrum spectrum[M::block];
    Unpacker<In>(in).next(x.at);
    Transform::forward(x, 0, spectrum, kernel::NoProbe());
    Packer<Out>(out).put(spectrum);
  }
};

/// Weights, a spectrum and k sums to the new sums: one block of kernel::multiply_fold.
template <class M>
struct BlockProduct {
  typedef kernel::TransformOf<M> Transform;
  typedef typename Transform::Accumulator Accumulator;
  static constexpr int output_bits = width_of<Accumulator, M::block>();
  static constexpr int input_bits = width_of<typename M::Weight, M::block>() +
                                    width_of<typename Transform::Operand, M::block>() + output_bits;

  template <class In, class Out>
  static void run(const In& in, Out& out) {
    ERNN_INLINE
    typename M::Weight w[M::block];
    typename Transform::Operand x[M::block];
    Accumulator sum[M::block], product[M::block];
    Unpacker<In> word(in);
    word.next(w);
    word.next(x);
    word.next(sum);
    Transform::multiply(w, x, product);
    ERNN_BEFORE_UNROLL
    for (int i = 0; i < M::block; ++i) {
      ERNN_UNROLL
      sum[i] = sum[i] + product[i];
    }
    Packer<Out>(out).put(sum);
  }
};

/// k sums narrowed.
template <class M>
struct SumNarrowing {
  typedef kernel::TransformOf<M> Transform;
  typedef typename Transform::Accumulator Accumulator;
  static constexpr int input_bits = width_of<Accumulator, M::block>();
  static constexpr int output_bits = width_of<typename M::Sum, M::block>();

  template <class In, class Out>
  static void run(const In& in, Out& out) {
    ERNN_INLINE
    Accumulator sum[M::block];
    typename M::Sum carried[M::block];
    Unpacker<In>(in).next(sum);
    Transform::carry(sum, 0, carried, kernel::NoProbe());
    Packer<Out>(out).put(carried);
  }
};

/// A block of narrowed sums to products.
template <class M>
struct InverseTransform {
  typedef kernel::TransformOf<M> Transform;
  static constexpr int input_bits = width_of<typename M::Sum, M::block>();
  static constexpr int output_bits = width_of<typename M::Product, M::block>();

  template <class In, class Out>
  static void run(const In& in, Out& out) {
    ERNN_INLINE
    typename M::Sum carried[M::block];
    typename M::Product y[M::block];
    Unpacker<In>(in).next(carried);
    Transform::inverse(carried, 0, y, kernel::NoProbe());
    Packer<Out>(out).put(y);
  }
};

/// A number of a projection's product to what the layer hands on.
template <class L>
struct ProjectedNarrowing {
  typedef typename L::ProjectionMatrix::Product Product;
  static constexpr int input_bits = width_of<Product, 1>();
  static constexpr int output_bits = width_of<typename L::Output, 1>();

  template <class In, class Out>
  static void run(const In& in, Out& out) {
    ERNN_INLINE
    Product product[1];
    typename L::Output y[1];
    Unpacker<In>(in).next(product);
    y[0] = kernel::narrow<typename L::Output>(product[0], kernel::NoProbe(), L::projected_signal);
    Packer<Out>(out).put(y);
  }
};

/// A matrix of one block with M's types: weights that only give a layer its shape.
template <class M>
struct OneBlock : M {
  static constexpr int rows = M::block;
  static constexpr int cols = M::block;
  static constexpr int gates = 1;
  static constexpr int group_rows = 1;
  static constexpr int rows_parallel = 1;
  static constexpr int cols_parallel = 1;
  static constexpr int inverses_parallel = 1;
};

/// One cell of an LSTM layer.
template <class L>
struct OneCell : L {
  static constexpr int size = 1;
  typedef TreeTable<typename L::Sigmoid> Sigmoid;
  typedef TreeTable<typename L::Tanh> Tanh;
};

/// The peepholes of one cell, when the layer has them.
template <class L, bool Peepholes>
struct CellPeepholes {
  static constexpr int bits = width_of<typename L::Peephole, 3>();
  template <class Word>
  static void read(Word& word, kernel::PeepholeWeights<L, true>& weights) {
    ERNN_INLINE
    ERNN_BEFORE_UNROLL
    for (int g = 0; g < 3; ++g) {
      ERNN_UNROLL
      const typename L::Peephole p = word.template next<typename L::Peephole>();
      weights.code[g][0] = kernel::Codes<typename L::Peephole>::code(p).to_int();
    }
  }
};
template <class L>
struct CellPeepholes<L, false> {
  static constexpr int bits = 0;
  template <class Word>
  static void read(Word& /*word*/, kernel::PeepholeWeights<L, false>& /*weights*/) {
    ERNN_INLINE
  }
};

/// Four input products, four recurrent products, four biases, three peepholes and a cell to the new
/// cell and m.
template <class Layer>
struct LstmCell {
  typedef OneCell<Layer> L;
  typedef typename L::InputMatrix::Product A;
  typedef typename L::RecurrentMatrix::Product R;
  typedef CellPeepholes<L, L::peepholes> Peepholes;
  static constexpr int input_bits = width_of<A, 4>() + width_of<R, 4>() +
                                    width_of<typename L::Bias, 4>() + Peepholes::bits +
                                    width_of<typename L::Cell>();
  static constexpr int output_bits = width_of<typename L::Cell>() + width_of<typename L::Hidden>();

  template <class In, class Out>
  static void run(const In& in, Out& out) {
    ERNN_INLINE
    A a[4];
    R r[4];
    typename L::Bias bias[4];
    kernel::PeepholeWeights<L, L::peepholes> peephole;
    Unpacker<In> word(in);
    word.next(a);
    word.next(r);
    word.next(bias);
    Peepholes::read(word, peephole);
    typename L::Cell cell = word.template next<typename L::Cell>();
    kernel::LstmSum<L> sum[4];
    ERNN_BEFORE_UNROLL
    for (int g = 0; g < 4; ++g) {
      ERNN_UNROLL
      sum[g] = a[g] + r[g] + bias[g];
    }
    const typename L::Hidden hidden =
        kernel::lstm_cell<L>(sum, peephole, 0, cell, kernel::NoProbe());
    Packer<Out> result(out);
    result.put(cell);
    result.put(hidden);
  }
};

/// One unit of a GRU layer.
template <class Layer>
struct OneUnit : Layer {
  static constexpr int size = 1;
  static constexpr int outputs = 1;
  typedef OneBlock<typename Layer::InputMatrix> InputMatrix;
  typedef OneBlock<typename Layer::RecurrentMatrix> RecurrentMatrix;
  typedef OneBlock<typename Layer::CandidateMatrix> CandidateMatrix;
  typedef TreeTable<typename Layer::Sigmoid> Sigmoid;
  typedef TreeTable<typename Layer::Tanh> Tanh;
};

template <class L>
void read_bias(typename L::BiasCode& code, const typename L::Bias& bias) {
  ERNN_INLINE
  code = kernel::Codes<typename L::Bias>::code(bias).to_int();
}

/// Input and recurrent products and biases of z and r, and h, to z, r, and what the candidate's
/// product multiplies.
template <class Layer>
struct GruGates {
  typedef OneUnit<Layer> L;
  typedef kernel::CandidateTerm<L, L::reset_after> Term;
  typedef typename L::InputMatrix::Product A;
  typedef typename L::RecurrentMatrix::Product U;
  typedef typename L::CandidateMatrix::Input Operand;
  static constexpr int input_bits = width_of<A, 2>() + width_of<U, 2>() +
                                    width_of<typename L::Bias, 2>() +
                                    width_of<typename L::Hidden>();
  static constexpr int output_bits = width_of<typename L::Gate, 2>() + width_of<Operand>();

  template <class In, class Out>
  static void run(const In& in, Out& out) {
    ERNN_INLINE
    A a[2];
    U u[2];
    typename L::Bias bias[2];
    kernel::GruWeights<L> weights;
    Unpacker<In> word(in);
    word.next(a);
    word.next(u);
    word.next(bias);
    const typename L::Hidden h = word.template next<typename L::Hidden>();
    read_bias<L>(weights.bias[0][0], bias[0]);
    read_bias<L>(weights.bias[1][0], bias[1]);
    typename L::Gate gate[2];
    gate[0] = kernel::gru_gate<L>(a[0], u[0], weights, 0, 0, kernel::NoProbe());
    gate[1] = kernel::gru_gate<L>(a[1], u[1], weights, 1, 0, kernel::NoProbe());
    const Operand operand = Term::operand(gate[1], h, 0, kernel::NoProbe());
    Packer<Out> result(out);
    result.put(gate);
    result.put(operand);
  }
};

/// The bias inside the reset, when the layer has one.
template <class L, bool After>
struct UnitResetBias {
  static constexpr int bits = width_of<typename L::Bias>();
  template <class Word>
  static void read(Word& word, kernel::ResetBias<L, true>& bias) {
    ERNN_INLINE
    read_bias<L>(bias.code[0], word.template next<typename L::Bias>());
  }
};
template <class L>
struct UnitResetBias<L, false> {
  static constexpr int bits = 0;
  template <class Word>
  static void read(Word& /*word*/, kernel::ResetBias<L, false>& /*bias*/) {
    ERNN_INLINE
  }
};

/// The candidate's input product, its recurrent product, its bias (and that inside the reset), z, r
/// and h to the new h.
template <class Layer>
struct GruCandidate {
  typedef OneUnit<Layer> L;
  typedef typename L::InputMatrix::Product A;
  typedef typename L::CandidateMatrix::Product V;
  typedef UnitResetBias<L, L::reset_after> Inside;
  static constexpr int input_bits = width_of<A>() + width_of<V>() + width_of<typename L::Bias>() +
                                    Inside::bits + width_of<typename L::Gate, 2>() +
                                    width_of<typename L::Hidden>();
  static constexpr int output_bits = width_of<typename L::Hidden>();

  template <class In, class Out>
  static void run(const In& in, Out& out) {
    ERNN_INLINE
    kernel::GruWeights<L> weights;
    Unpacker<In> word(in);
    const A a = word.template next<A>();
    const V v = word.template next<V>();
    read_bias<L>(weights.bias[2][0], word.template next<typename L::Bias>());
    Inside::read(word, weights.candidate_bias);
    typename L::Gate gate[2];
    word.next(gate);
    const typename L::Hidden h = word.template next<typename L::Hidden>();
    const typename L::Hidden next =
        kernel::gru_unit<L>(a, gate[0], gate[1], v, h, weights, 0, kernel::NoProbe());
    Packer<Out>(out).put(next);
  }
};

/// A feed-forward layer's activation table, when it has one.
template <class L, int Activation>
struct OutputTable : L {};
template <class L>
struct OutputTable<L, kernel::kActivationTable> : L {
  typedef TreeTable<typename L::Table> Table;
};

/// A product and a bias to an output of a feed-forward layer.
template <class Layer>
struct Output {
  typedef OutputTable<Layer, Layer::activation> L;
  typedef typename L::InputMatrix::Product Product;
  static constexpr int input_bits = width_of<Product>() + width_of<typename L::Bias>();
  static constexpr int output_bits = width_of<typename L::Output>();

  template <class In, class Out>
  static void run(const In& in, Out& out) {
    ERNN_INLINE
    Unpacker<In> word(in);
    const Product product = word.template next<Product>();
    const typename L::Bias bias = word.template next<typename L::Bias>();
    const kernel::FeedforwardSum<L> sum = product + bias;
    const typename L::Output y =
        kernel::FeedforwardOutput<L, L::activation>::run(sum, 0, kernel::NoProbe());
    Packer<Out>(out).put(y);
  }
};

}  // namespace rtl
}  // namespace ernn
