#include "runtime/float_program.h"

#include <cmath>
#include <cstddef>
#include <vector>

#include "runtime/packing.h"

namespace ernn {

namespace {

constexpr double kPi = 3.14159265358979323846;

/// The packed spectrum of c / k.
std::vector<double> packed_spectrum(const double* c, int k) {
  const auto size = static_cast<std::size_t>(k);
  std::vector<double> packed(size);
  for (int b = 0; b <= k / 2; ++b) {
    double re = 0;
    double im = 0;
    for (int d = 0; d < k; ++d) {
      const double angle = 2 * kPi * (b * d % k) / k;
      re += c[d] * std::cos(angle) / k;
      im -= c[d] * std::sin(angle) / k;
    }
    if (b == 0 || b == k / 2) {
      packed[b == 0 ? 0 : 1] = re;
    } else {
      packed[2 * static_cast<std::size_t>(b)] = re;
      packed[2 * static_cast<std::size_t>(b) + 1] = im;
    }
  }
  return packed;
}

class Builder {
 public:
  explicit Builder(const Kernels& kernels) : kernels_(kernels) {}

  Program<float> build(const FloatNetwork& network) {
    program_.input = program_.reserve({network.inputs(), 1});
    Wire wire = program_.input;
    for (const FloatLayer& layer : network.layers) wire = add_layer(layer, wire);
    program_.output = program_.arrange(wire, {network.outputs(), 1});
    return std::move(program_);
  }

 private:
  /// Adds matrix times `from` to what `sums` holds, or sets it; spectra for circulant matrices.
  void multiply(const FloatMatrix& matrix, const Wire& from, const Wire& sums, bool add) {
    const MatrixShape& shape = matrix.shape;
    const Wire x = program_.arrange(from, {shape.cols, shape.block});
    ProductPlan<float> plan;
    plan.groups = sums.layout.groups();
    plan.to_stride = sums.layout.stride();
    const Kernels& kernels = kernels_;
    if (shape.block == 1) {
      plan.bins = 1;
      plan.columns = shape.cols;
      plan.weights = dense_weights(matrix, sums.layout);
      program_.add([plan, &kernels, x, sums, add](float* memory) {
        kernels.float_dense(plan, memory + x.at, memory + sums.at, add);
      });
      return;
    }
    const Wire spectrum = program_.reserve(x.layout);
    const TransformPlan transform{shape.block, x.layout.blocks(), x.layout.stride(),
                                  x.layout.stride()};
    plan.bins = shape.block / 2;
    plan.columns = shape.block_cols();
    plan.from_stride = x.layout.stride();
    plan.weights = spectra(matrix, sums.layout);
    program_.add([plan, transform, &kernels, x, spectrum, sums, add](float* memory) {
      kernels.float_forward(transform, memory + x.at, memory + spectrum.at);
      kernels.float_product(plan, memory + spectrum.at, memory + sums.at, add);
    });
  }

  /// From sums of spectra to the product itself, in place.
  void finish(const Wire& sums) {
    const Layout& layout = sums.layout;
    if (layout.block == 1) return;
    const TransformPlan transform{layout.block, layout.blocks(), layout.stride(), layout.stride()};
    const Kernels& kernels = kernels_;
    program_.add([transform, &kernels, sums](float* memory) {
      kernels.float_inverse(transform, memory + sums.at, memory + sums.at);
    });
  }

  Wire product(const FloatMatrix& matrix, const Wire& from) {
    const Wire sums = program_.reserve({matrix.shape.rows, matrix.shape.block});
    multiply(matrix, from, sums, false);
    finish(sums);
    return sums;
  }

  const float* dense_weights(const FloatMatrix& matrix, const Layout& rows) {
    const auto columns = static_cast<std::size_t>(matrix.shape.cols);
    float* const weights = program_.constants<float>(rows.size() * columns);
    for_packed(1, rows, matrix.shape.cols, kernels_.tile,
               [&](std::size_t place, int /*bin*/, int column, int row) {
                 for (int lane = 0; lane < kGroup && row + lane < rows.count; ++lane) {
                   weights[place * kGroup + static_cast<std::size_t>(lane)] = static_cast<float>(
                       matrix.weights[static_cast<std::size_t>(row + lane) * columns +
                                      static_cast<std::size_t>(column)]);
                 }
               });
    return weights;
  }

  const float* spectra(const FloatMatrix& matrix, const Layout& rows) {
    const MatrixShape& shape = matrix.shape;
    const auto k = static_cast<std::size_t>(shape.block);
    const auto columns = static_cast<std::size_t>(shape.block_cols());
    std::vector<double> packed;
    packed.reserve(matrix.weights.size());
    for (std::size_t at = 0; at < matrix.weights.size(); at += k) {
      const std::vector<double> block = packed_spectrum(&matrix.weights[at], shape.block);
      packed.insert(packed.end(), block.begin(), block.end());
    }
    float* const weights = program_.constants<float>(rows.size() * columns);
    for_packed(shape.block / 2, rows, shape.block_cols(), kernels_.tile,
               [&](std::size_t place, int bin, int column, int row) {
                 for (int lane = 0; lane < kGroup && row + lane < rows.blocks(); ++lane) {
                   const std::size_t at = (static_cast<std::size_t>(row + lane) * columns +
                                           static_cast<std::size_t>(column)) *
                                              k +
                                          2 * static_cast<std::size_t>(bin);
                   float* const to = weights + place * 2 * kGroup + static_cast<std::size_t>(lane);
                   to[0] = static_cast<float>(packed[at]);
                   to[kGroup] = static_cast<float>(packed[at + 1]);
                 }
               });
    return weights;
  }

  Wire add_layer(const FloatLayer& layer, const Wire& from) {
    switch (layer.options.type) {
      case LayerType::lstm:
        return lstm(layer, from);
      case LayerType::gru:
        return gru(layer, from);
      case LayerType::feedforward:
        break;
    }
    return feedforward(layer, from);
  }

  static UnitPlan units_of(const Layout& units, const Layout& gates) {
    return {units.block, units.blocks(), units.stride(), gates.stride()};
  }

  Wire lstm(const FloatLayer& layer, const Wire& from) {
    const int size = layer.options.size;
    const int k = layer.matrices[1].shape.block;
    const Layout gates{4 * size, k};
    const bool projects = layer.options.projection > 0;
    const Wire hidden = program_.reserve({size, k});
    const Wire cell = program_.reserve({size, k});
    const Wire output =
        projects ? program_.reserve({layer.outputs(), layer.matrices[2].shape.block}) : hidden;
    // Sums of spectra of the same block size need one inverse together.
    const bool together = layer.matrices[0].shape.block == k;
    const Wire input = together ? program_.reserve(gates)
                                : program_.arrange(product(layer.matrices[0], from), gates);
    const Wire state = together ? input : program_.reserve(gates);
    if (together) multiply(layer.matrices[0], from, input, false);
    multiply(layer.matrices[1], output, state, together);
    finish(state);

    FloatLstmPlan plan;
    plan.units = units_of(hidden.layout, gates);
    plan.bias = program_.planes_of(layer.bias, gates);
    if (!layer.peephole.empty())
      plan.peephole = program_.planes_of(layer.peephole, hidden.layout, 3);
    plan.clip = static_cast<float>(layer.options.cell_clip);
    const Kernels& kernels = kernels_;
    program_.add([plan, &kernels, input, state, together, cell, hidden](float* memory) {
      kernels.float_lstm(plan, memory + input.at, together ? nullptr : memory + state.at,
                         memory + cell.at, memory + hidden.at);
    });
    if (projects) {
      multiply(layer.matrices[2], hidden, output, false);
      finish(output);
      program_.clear_padding(output);
    }
    return output;
  }

  Wire gru(const FloatLayer& layer, const Wire& from) {
    const int size = layer.options.size;
    const int k = layer.matrices[1].shape.block;
    const Layout units{size, k};
    const Layout gates{3 * size, k};
    const bool before = layer.options.reset == GruReset::before;
    const Wire hidden = program_.reserve(units);
    const Wire update = program_.reserve(units);
    const Wire reset = program_.reserve(units);
    const Wire input = program_.arrange(product(layer.matrices[0], from), gates);
    const Wire state = product(layer.matrices[1], hidden);

    FloatGruPlan plan;
    plan.units = units_of(units, gates);
    plan.state_stride = state.layout.stride();
    plan.bias = program_.planes_of(layer.bias, gates);
    if (!before) plan.candidate_bias = program_.planes_of(layer.candidate_bias, units);
    const Kernels& kernels = kernels_;
    program_.add([plan, &kernels, input, state, hidden, update, reset](float* memory) {
      kernels.float_gru_gates(plan, memory + input.at, memory + state.at, memory + hidden.at,
                              memory + update.at, memory + reset.at);
    });
    const Wire candidate = product(layer.matrices[2], before ? reset : hidden);
    program_.add([plan, &kernels, input, candidate, update, reset, hidden](float* memory) {
      kernels.float_gru_update(plan, memory + input.at, memory + candidate.at, memory + update.at,
                               memory + reset.at, memory + hidden.at);
    });
    return hidden;
  }

  Wire feedforward(const FloatLayer& layer, const Wire& from) {
    const bool joins = layer.options.joins_frames();
    const Wire sums = product(layer.matrices[0],
                              joins ? program_.join_frames(from, layer.options.offsets) : from);
    const Wire output = program_.reserve(sums.layout);
    const UnitPlan units = units_of(sums.layout, sums.layout);
    const float* const bias = program_.planes_of(layer.bias, sums.layout);
    const ElementFunction function = element_function(layer.options.activation);
    const Kernels& kernels = kernels_;
    program_.add([units, function, bias, &kernels, sums, output](float* memory) {
      kernels.float_element(units, function, bias, memory + sums.at, memory + output.at);
    });
    program_.clear_padding(output);
    return output;
  }

  const Kernels& kernels_;
  Program<float> program_;
};

}  // namespace

Program<float> make_float_program(const FloatNetwork& network, const Kernels& kernels) {
  return Builder(kernels).build(network);
}

}  // namespace ernn
