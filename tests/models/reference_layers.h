// The recurrent layers as scalar loops in double, straight from their equations.
#pragma once

#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "models/options.h"

namespace ernn {

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;

inline Vector to_vector(const torch::Tensor& x) {
  const torch::Tensor flat = x.detach().to(torch::kDouble).contiguous().view(-1);
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

inline Matrix to_matrix(const torch::Tensor& x) {
  Matrix rows;
  for (int64_t r = 0; r < x.size(0); ++r) rows.push_back(to_vector(x[r]));
  return rows;
}

inline double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t n = 0; n < a.size(); ++n) sum += a[n] * b[n];
  return sum;
}

inline double logistic(double x) {
  return 1 / (1 + std::exp(-x));
}

/// Weights of a layer as plain numbers; what a layer lacks is empty.
struct ReferenceWeights {
  Matrix input, recurrent, candidate, projection, peephole;
  Vector bias, candidate_bias;
};

/// x: one utterance, [frames][inputs]; the result [frames][outputs].
inline Matrix reference_lstm(const ReferenceWeights& w, const Matrix& x, double cell_clip) {
  const std::size_t size = w.bias.size() / 4;
  Vector y(w.recurrent[0].size(), 0);
  Vector c(size, 0);
  Matrix outputs;
  for (const Vector& frame : x) {
    const Vector c_old = c;
    Vector m(size);
    for (std::size_t n = 0; n < size; ++n) {
      const auto argument = [&](std::size_t gate) {
        const std::size_t row = gate * size + n;
        return dot(w.input[row], frame) + dot(w.recurrent[row], y) + w.bias[row];
      };
      const auto peephole = [&](std::size_t gate, double cell) {
        return w.peephole.empty() ? 0 : w.peephole[gate][n] * cell;
      };
      const double i = logistic(argument(0) + peephole(0, c_old[n]));
      const double f = logistic(argument(1) + peephole(1, c_old[n]));
      c[n] = f * c_old[n] + i * std::tanh(argument(2));
      if (cell_clip > 0) c[n] = std::min(std::max(c[n], -cell_clip), cell_clip);
      m[n] = logistic(argument(3) + peephole(2, c[n])) * std::tanh(c[n]);
    }
    if (w.projection.empty()) {
      y = m;
    } else {
      for (std::size_t n = 0; n < y.size(); ++n) y[n] = dot(w.projection[n], m);
    }
    outputs.push_back(y);
  }
  return outputs;
}

/// The reset acts after the recurrent product when there is a candidate bias.
inline Matrix reference_gru(const ReferenceWeights& w, const Matrix& x) {
  const std::size_t size = w.bias.size() / 3;
  Vector h(size, 0);
  Matrix outputs;
  for (const Vector& frame : x) {
    Vector z(size), r(size), reset(size), next(size);
    for (std::size_t n = 0; n < size; ++n) {
      z[n] = logistic(dot(w.input[n], frame) + dot(w.recurrent[n], h) + w.bias[n]);
      r[n] = logistic(dot(w.input[size + n], frame) + dot(w.recurrent[size + n], h) +
                      w.bias[size + n]);
      reset[n] = r[n] * h[n];
    }
    for (std::size_t n = 0; n < size; ++n) {
      const double a = dot(w.input[2 * size + n], frame) + w.bias[2 * size + n];
      const double candidate =
          w.candidate_bias.empty()
              ? std::tanh(a + dot(w.candidate[n], reset))
              : std::tanh(a + r[n] * (dot(w.candidate[n], h) + w.candidate_bias[n]));
      next[n] = (1 - z[n]) * h[n] + z[n] * candidate;
    }
    h = next;
    outputs.push_back(h);
  }
  return outputs;
}

/// `offsets`: frames that are joined, zeros before the first one.
inline Matrix reference_feedforward(const ReferenceWeights& w, const Matrix& x,
                                    Activation activation, const std::vector<int>& offsets) {
  const auto apply = [activation](double v) {
    return activation == Activation::relu      ? std::max(v, 0.0)
           : activation == Activation::tanh    ? std::tanh(v)
           : activation == Activation::sigmoid ? logistic(v)
                                               : v;
  };
  Matrix outputs;
  for (int t = 0; t < static_cast<int>(x.size()); ++t) {
    Vector joined;
    for (const int offset : offsets) {
      const Vector zeros(x.front().size());
      const Vector& frame = t + offset < 0 ? zeros : x[static_cast<std::size_t>(t + offset)];
      joined.insert(joined.end(), frame.begin(), frame.end());
    }
    Vector y;
    for (std::size_t n = 0; n < w.bias.size(); ++n)
      y.push_back(apply(dot(w.input[n], joined) + w.bias[n]));
    outputs.push_back(y);
  }
  return outputs;
}

}  // namespace ernn
