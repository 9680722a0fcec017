#include "train/fixed_point_layers.h"

#include <torch/utils.h>

#include <cmath>
#include <vector>

#include "train/fixed_point_matrix.h"
#include "train/fixed_point_ops.h"

namespace ernn::fixed_point {

namespace {

using torch::Tensor;

/// What all layers have.
class FormattedLayer : public Layer {
 public:
  FormattedLayer(const QuantisedLayer& formats, const ParameterOf& parameter)
      : formats_(formats), bias_(parameter(formats.name + ".bias")) {
    for (std::size_t i = 0; i < formats.matrices.size(); ++i) {
      const QuantisedMatrix& matrix = formats.matrices[i];
      matrices_.emplace_back(matrix, formats.matrix_input(i),
                             parameter(matrix.shape.name + ".weight"));
    }
  }

 protected:
  const QuantisedLayer& formats() const { return formats_; }
  int64_t size() const { return formats_.options.size; }
  const Matrix& matrix(std::size_t index) const { return matrices_[index]; }

  /// W x + b of all frames, [frames, batch, gates x size]; nothing in it waits for the recurrence.
  Tensor input_product(const Tensor& x) const {
    const Tensor product = matrices_[0].multiply(x.flatten(0, 1), matrices_[0].weights());
    return (product + quantised(bias_, formats_.bias)).unflatten(0, {x.size(0), x.size(1)});
  }
  static Tensor quantised(const Tensor& parameter, const Format& format) {
    return narrow(value_of(parameter), format);
  }
  Tensor preactivation(const Tensor& sum) const { return narrow(sum, formats_.preactivation); }
  Tensor sigmoid(const Tensor& argument) const {
    return look_up(argument, formats_.sigmoid, formats_);
  }
  Tensor tanh(const Tensor& argument) const { return look_up(argument, formats_.tanh, formats_); }

  /// The state to begin with, [batch, width].
  static Tensor first(const Tensor& state, const Tensor& x, int64_t width) {
    return state.defined() ? state.detach() : torch::zeros({x.size(1), width}, x.options());
  }

 private:
  QuantisedLayer formats_;
  Tensor bias_;
  std::vector<Matrix> matrices_;
};

class Lstm : public FormattedLayer {
 public:
  Lstm(const QuantisedLayer& formats, const ParameterOf& parameter)
      : FormattedLayer(formats, parameter) {
    if (formats.options.peepholes) peephole_ = parameter(formats.name + ".peephole");
  }

  Tensor forward(const Tensor& x, LayerState* state) const override {
    const Pass pass = begin(x);
    const bool projected = formats().options.projection > 0;
    const LayerState before = state == nullptr ? LayerState{} : *state;
    Tensor y = first(before.output, x, formats().outputs());
    Tensor c = first(before.cell, x, size());
    std::vector<Tensor> outputs;
    for (const Tensor& input : pass.input) {
      const Tensor sum = input + matrix(1).multiply(y, pass.recurrent);
      const Tensor hidden = cell(sum, pass, c);
      y = projected ? narrow(matrix(2).multiply(hidden, pass.projection), formats().projected)
                    : hidden;
      outputs.push_back(y);
    }
    if (state != nullptr) *state = {y.detach(), c.detach(), {}};
    return torch::stack(outputs);
  }

 private:
  /// What a sequence needs, quantised once.
  struct Pass {
    std::vector<Tensor> input;  ///< of each frame, [batch, 4 size]
    Matrix::Weights recurrent, projection;
    Tensor peephole_ifg, peephole_o;  ///< [3, size], zero for g, and [size]; undefined without
  };

  Pass begin(const Tensor& x) const {
    Pass pass;
    pass.input = input_product(x).unbind(0);
    pass.recurrent = matrix(1).weights();
    if (formats().options.projection > 0) pass.projection = matrix(2).weights();
    if (peephole_.defined()) {
      const Tensor p = quantised(peephole_, formats().peephole);
      pass.peephole_ifg = torch::constant_pad_nd(p.narrow(0, 0, 2), {0, 0, 0, 1});
      pass.peephole_o = p.select(0, 2);
    }
    return pass;
  }

  /// The gates' arguments but for the peepholes, [batch, 4 size], to m; moves c on.
  Tensor cell(const Tensor& sum, const Pass& pass, Tensor& c) const {
    Tensor ifg = sum.narrow(1, 0, 3 * size());
    if (peephole_.defined()) ifg = ifg + (pass.peephole_ifg * c.unsqueeze(1)).flatten(1);
    ifg = preactivation(ifg);
    const Tensor gates = sigmoid(ifg.narrow(1, 0, 2 * size()));
    const Tensor g = tanh(ifg.narrow(1, 2 * size(), size()));
    c = narrow(gates.narrow(1, size(), size()) * c + gates.narrow(1, 0, size()) * g,
               formats().cell);
    if (formats().cell_clip_code > 0) {
      const double clip = dequantise(formats().cell_clip_code, formats().cell);
      c = c.clamp(-clip, clip);
    }
    Tensor o = sum.narrow(1, 3 * size(), size());
    if (peephole_.defined()) o = o + pass.peephole_o * c;
    return narrow(sigmoid(preactivation(o)) * tanh(preactivation(c)), formats().hidden);
  }

  Tensor peephole_;
};

class Gru : public FormattedLayer {
 public:
  Gru(const QuantisedLayer& formats, const ParameterOf& parameter)
      : FormattedLayer(formats, parameter) {
    if (formats.options.reset == GruReset::after)
      candidate_bias_ = parameter(formats.name + ".candidate_bias");
  }

  Tensor forward(const Tensor& x, LayerState* state) const override {
    const Tensor input = input_product(x);
    const auto in_zr = input.narrow(2, 0, 2 * size()).unbind(0);
    const auto in_c = input.narrow(2, 2 * size(), size()).unbind(0);
    const Matrix::Weights recurrent = matrix(1).weights();
    const Matrix::Weights candidate = matrix(2).weights();
    const Tensor inner_bias =
        candidate_bias_.defined() ? quantised(candidate_bias_, formats().bias) : Tensor();
    Tensor h = first(state == nullptr ? Tensor() : state->output, x, size());
    std::vector<Tensor> outputs;
    for (std::size_t t = 0; t < in_zr.size(); ++t) {
      const Tensor gates = sigmoid(preactivation(in_zr[t] + matrix(1).multiply(h, recurrent)));
      const Tensor z = gates.narrow(1, 0, size());
      const Tensor r = gates.narrow(1, size(), size());
      const Tensor v = inner_bias.defined() ? r * reset_after(h, candidate, inner_bias)
                                            : reset_before(r * h, candidate);
      const Tensor n = tanh(preactivation(in_c[t] + v));
      h = narrow((1 - z) * h + z * n, formats().hidden);
      outputs.push_back(h);
    }
    if (state != nullptr) state->output = h.detach();
    return torch::stack(outputs);
  }

 private:
  Tensor reset_before(const Tensor& reset_hidden, const Matrix::Weights& candidate) const {
    return matrix(2).multiply(narrow(reset_hidden, formats().reset_hidden), candidate);
  }
  Tensor reset_after(const Tensor& h, const Matrix::Weights& candidate,
                     const Tensor& inner_bias) const {
    return narrow(matrix(2).multiply(h, candidate) + inner_bias, formats().matrices[2].product);
  }

  Tensor candidate_bias_;
};

class Feedforward : public FormattedLayer {
 public:
  using FormattedLayer::FormattedLayer;

  Tensor forward(const Tensor& x, LayerState* state) const override {
    const LayerOptions& options = formats().options;
    const Tensor sum =
        input_product(options.joins_frames() ? join_frames(x, options.offsets, state) : x);
    switch (options.activation) {
      case Activation::none:
        break;
      case Activation::relu:
        return narrow(sum.relu(), formats().output);
      case Activation::sigmoid:
        return sigmoid(preactivation(sum));
      case Activation::tanh:
        return tanh(preactivation(sum));
    }
    return narrow(sum, formats().output);
  }
};

}  // namespace

std::unique_ptr<Layer> make_layer(const QuantisedLayer& formats, const ParameterOf& parameter) {
  switch (formats.options.type) {
    case LayerType::lstm:
      return std::make_unique<Lstm>(formats, parameter);
    case LayerType::gru:
      return std::make_unique<Gru>(formats, parameter);
    case LayerType::feedforward:
      break;
  }
  return std::make_unique<Feedforward>(formats, parameter);
}

}  // namespace ernn::fixed_point
