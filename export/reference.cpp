#include "export/reference.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <utility>

#include "export/delay_line.h"
#include "export/real_transform.h"

namespace ernn {

namespace {

using Values = std::vector<double>;

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

/// W x by spectra (or plainly when dense).
class Product {
 public:
  explicit Product(const FloatMatrix& matrix)
      : shape_(matrix.shape),
        weights_(matrix.weights),
        spectrum_name_(shape_.name + ".spectrum"),
        sum_name_(shape_.name + ".sum"),
        product_name_(shape_.name + ".product") {
    if (shape_.block == 1) return;
    transform_.emplace(shape_.block);
    const auto k = static_cast<std::size_t>(shape_.block);
    for (std::size_t at = 0; at < weights_.size(); at += k) {
      for (std::size_t d = 0; d < k; ++d) weights_[at + d] /= shape_.block;
      transform_->forward(&weights_[at], &weights_[at]);
    }
  }

  Values operator()(const Values& input, const Reference::Observer& observe) {
    Values product = shape_.block == 1 ? dense(input) : circulant(input, observe);
    if (observe) observe(product_name_, product);
    return product;
  }

 private:
  Values dense(const Values& input) const {
    Values product(static_cast<std::size_t>(shape_.rows));
    const double* weight = weights_.data();
    for (double& y : product) {
      for (const double x : input) y += *weight++ * x;
    }
    return product;
  }

  Values circulant(const Values& input, const Reference::Observer& observe) {
    const int k = shape_.block;
    const auto width = static_cast<std::size_t>(k);
    Values spectrum(static_cast<std::size_t>(shape_.block_cols()) * width);
    std::copy(input.begin(), input.end(), spectrum.begin());
    for (std::size_t at = 0; at < spectrum.size(); at += width)
      transform_->forward(&spectrum[at], &spectrum[at]);
    if (observe) observe(spectrum_name_, spectrum);
    Values sum(static_cast<std::size_t>(shape_.block_rows()) * width);
    const double* weight = weights_.data();
    for (std::size_t row = 0; row < sum.size(); row += width) {
      for (std::size_t col = 0; col < spectrum.size(); col += width, weight += k) {
        sum[row] += weight[0] * spectrum[col];
        sum[row + 1] += weight[1] * spectrum[col + 1];
        for (std::size_t b = 2; b < width; b += 2) {
          const double re = spectrum[col + b];
          const double im = spectrum[col + b + 1];
          sum[row + b] += weight[b] * re - weight[b + 1] * im;
          sum[row + b + 1] += weight[b] * im + weight[b + 1] * re;
        }
      }
    }
    if (observe) observe(sum_name_, sum);
    for (std::size_t row = 0; row < sum.size(); row += width)
      transform_->inverse(&sum[row], &sum[row]);
    sum.resize(static_cast<std::size_t>(shape_.rows));
    return sum;
  }

  MatrixShape shape_;
  Values weights_;  ///< packed spectra of c/k when block > 1
  std::string spectrum_name_, sum_name_, product_name_;
  std::optional<RealTransform> transform_;
};

}  // namespace

class Reference::Layer {
 public:
  explicit Layer(FloatLayer layer)
      : layer_(std::move(layer)), line_(layer_.options, layer_.inputs) {
    for (const FloatMatrix& matrix : layer_.matrices) products_.emplace_back(matrix);
    reset();
  }

  void reset() {
    cell_.assign(static_cast<std::size_t>(layer_.options.size), 0.0);
    state_.assign(static_cast<std::size_t>(layer_.outputs()), 0.0);
    line_.reset();
  }

  Values step(const Values& input, const Observer& observe) {
    switch (layer_.options.type) {
      case LayerType::lstm:
        return lstm(input, observe);
      case LayerType::gru:
        return gru(input, observe);
      case LayerType::feedforward:
        break;
    }
    return feedforward(input, observe);
  }

 private:
  void report(const Observer& observe, const char* signal, const Values& values) const {
    if (observe) observe(layer_.name + "." + signal, values);
  }

  double peephole(std::size_t gate, std::size_t i) const {
    const auto size = static_cast<std::size_t>(layer_.options.size);
    return layer_.peephole.empty() ? 0 : layer_.peephole[gate * size + i];
  }

  Values lstm(const Values& input, const Observer& observe) {
    const auto size = static_cast<std::size_t>(layer_.options.size);
    const Values a = products_[0](input, observe);
    const Values r = products_[1](state_, observe);
    Values pre(4 * size);
    Values gate(4 * size);
    Values cell_tanh(size);
    Values hidden(size);
    for (std::size_t i = 0; i < pre.size(); ++i) pre[i] = a[i] + r[i] + layer_.bias[i];
    for (std::size_t i = 0; i < size; ++i) {
      pre[i] += peephole(0, i) * cell_[i];
      pre[size + i] += peephole(1, i) * cell_[i];
      gate[i] = sigmoid(pre[i]);
      gate[size + i] = sigmoid(pre[size + i]);
      gate[2 * size + i] = std::tanh(pre[2 * size + i]);
      cell_[i] = gate[size + i] * cell_[i] + gate[i] * gate[2 * size + i];
      const double clip = layer_.options.cell_clip;
      if (clip > 0) cell_[i] = std::clamp(cell_[i], -clip, clip);
      pre[3 * size + i] += peephole(2, i) * cell_[i];
      gate[3 * size + i] = sigmoid(pre[3 * size + i]);
      cell_tanh[i] = std::tanh(cell_[i]);
      hidden[i] = gate[3 * size + i] * cell_tanh[i];
    }
    report(observe, "preactivation", pre);
    report(observe, "gate", gate);
    report(observe, "cell", cell_);
    report(observe, "cell_argument", cell_);
    report(observe, "cell_tanh", cell_tanh);
    report(observe, "hidden", hidden);
    if (layer_.options.projection == 0) return state_ = hidden;
    state_ = products_[2](hidden, observe);
    report(observe, "projected", state_);
    return state_;
  }

  Values gru(const Values& input, const Observer& observe) {
    const auto size = static_cast<std::size_t>(layer_.options.size);
    const bool before = layer_.options.reset == GruReset::before;
    const Values a = products_[0](input, observe);
    const Values u = products_[1](state_, observe);
    Values pre(3 * size);
    Values gate(3 * size);
    for (std::size_t i = 0; i < 2 * size; ++i) {
      pre[i] = a[i] + u[i] + layer_.bias[i];
      gate[i] = sigmoid(pre[i]);
    }
    Values v;
    if (before) {
      Values reset_hidden(size);
      for (std::size_t i = 0; i < size; ++i) reset_hidden[i] = gate[size + i] * state_[i];
      report(observe, "reset_hidden", reset_hidden);
      v = products_[2](reset_hidden, observe);
    } else {
      v = products_[2](state_, observe);
      for (std::size_t i = 0; i < size; ++i) v[i] += layer_.candidate_bias[i];
      report(observe, "reset_argument", v);
      for (std::size_t i = 0; i < size; ++i) v[i] *= gate[size + i];
    }
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t c = 2 * size + i;
      pre[c] = a[c] + v[i] + layer_.bias[c];
      gate[c] = std::tanh(pre[c]);
      state_[i] = (1 - gate[i]) * state_[i] + gate[i] * gate[c];
    }
    report(observe, "preactivation", pre);
    report(observe, "gate", gate);
    report(observe, "hidden", state_);
    return state_;
  }

  Values feedforward(const Values& input, const Observer& observe) {
    Values pre = products_[0](line_.join(input), observe);
    for (std::size_t i = 0; i < pre.size(); ++i) pre[i] += layer_.bias[i];
    const Activation activation = layer_.options.activation;
    if (has_table(activation)) report(observe, "preactivation", pre);
    for (double& v : pre) {
      if (activation == Activation::relu) v = std::max(v, 0.0);
      if (activation == Activation::sigmoid) v = sigmoid(v);
      if (activation == Activation::tanh) v = std::tanh(v);
    }
    report(observe, "output", pre);
    return pre;
  }

  FloatLayer layer_;
  DelayLine<double> line_;  ///< feed-forward
  std::vector<Product> products_;
  Values cell_;
  Values state_;  ///< y(t-1) of the LSTM, h(t-1) of the GRU
};

Reference::Reference(const FloatNetwork& network) {
  for (const FloatLayer& layer : network.layers) layers_.push_back(std::make_unique<Layer>(layer));
}
Reference::~Reference() = default;
Reference::Reference(Reference&&) noexcept = default;
Reference& Reference::operator=(Reference&&) noexcept = default;

void Reference::reset() {
  for (auto& layer : layers_) layer->reset();
}

void Reference::observe(Observer observer) {
  observer_ = std::move(observer);
}

std::vector<double> Reference::step(const std::vector<double>& frame) {
  Values values = frame;
  for (auto& layer : layers_) values = layer->step(values, observer_);
  return values;
}

}  // namespace ernn
