#include "export/scale_places.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>

#include "export/integer_transform.h"
#include "export/real_transform.h"
#include "export/reference.h"

namespace ernn {

const std::vector<std::pair<ScalePlace, const char*>>& enum_names(ScalePlace) {
  static const std::vector<std::pair<ScalePlace, const char*>> names = {
      {ScalePlace::weights, "weights"},
      {ScalePlace::end, "end"},
      {ScalePlace::inverse, "inverse"},
      {ScalePlace::wide_inverse, "wide_inverse"},
      {ScalePlace::forward, "forward"}};
  return names;
}

namespace {

int log2_of(int k) {
  int n = 0;
  while (1 << n < k) ++n;
  return n;
}

/// The integer path of one place at one width.
struct Path {
  ScalePlace place = ScalePlace::weights;
  int bits = 0;
  double signal_energy = 0;
  double error_energy = 0;

  bool halves_inverse() const {
    return place == ScalePlace::inverse || place == ScalePlace::wide_inverse;
  }
  /// Fraction bits that a halved transform takes away when its results keep their value.
  int forward_shift(int k) const { return place == ScalePlace::forward ? log2_of(k) : 0; }
  int inverse_shift(int k) const { return halves_inverse() ? log2_of(k) : 0; }
  int inverse_guard(int k) const {
    return kTransformGuardBits + (place == ScalePlace::wide_inverse ? log2_of(k) : 0);
  }
  int sum_bits(int k) const { return bits - (place == ScalePlace::end ? log2_of(k) : 0); }
};

using Codes = std::vector<std::int32_t>;

class MatrixStudy {
 public:
  MatrixStudy(const QuantisedMatrix& matrix, const Format& input, const std::vector<int>& bits)
      : matrix_(matrix), input_(input), k_(matrix.shape.block), transform_(k_) {
    for (const int width : bits) {
      for (const auto& [place, name] : enum_names(ScalePlace{})) paths_.push_back({place, width});
    }
    make_dense();
  }

  /// `spectrum` [q k], packed: what the reference transforms the matrix's input to.
  void add(const std::vector<double>& spectrum) {
    const auto k = static_cast<std::size_t>(k_);
    Codes x(spectrum.size());
    std::vector<double> block(k);
    std::int64_t saturations = 0;
    for (std::size_t at = 0; at < x.size(); at += k) {
      transform_.inverse(&spectrum[at], block.data());
      for (std::size_t i = 0; i < k; ++i)
        x[at + i] = static_cast<std::int32_t>(quantise(block[i] / k_, input_, saturations));
    }
    const std::vector<double> exact = multiply_exactly(x);
    for (Path& path : paths_) {
      const std::vector<double> found = multiply(x, path);
      for (std::size_t r = 0; r < exact.size(); ++r) {
        path.signal_energy += exact[r] * exact[r];
        path.error_energy += (found[r] - exact[r]) * (found[r] - exact[r]);
      }
    }
  }

  void finish(std::vector<ScaleError>& errors) const {
    for (const Path& path : paths_) {
      const double snr = path.error_energy > 0
                             ? 10 * std::log10(path.signal_energy / path.error_energy)
                             : std::numeric_limits<double>::infinity();
      errors.push_back({matrix_.shape.name, k_, path.place, path.bits, snr});
    }
  }

 private:
  /// The weight codes as first columns of blocks, then the definition: no transform of the data.
  void make_dense() {
    for (const std::int32_t code : matrix_.codes)
      columns_.push_back(dequantise(code, matrix_.weight));
    for (std::size_t at = 0; at < columns_.size(); at += static_cast<std::size_t>(k_))
      transform_.inverse(&columns_[at], &columns_[at]);
  }

  std::vector<double> multiply_exactly(const Codes& x) const {
    const auto k = static_cast<std::size_t>(k_);
    std::vector<double> y(static_cast<std::size_t>(matrix_.shape.rows));
    for (std::size_t row = 0; row < y.size(); ++row) {
      const double* column = &columns_[row / k * x.size()];
      for (std::size_t at = 0; at < x.size(); at += k, column += k) {
        for (std::size_t s = 0; s < k; ++s)
          y[row] += column[(row % k + k - s) % k] * dequantise(x[at + s], input_);
      }
    }
    return y;
  }

  /// As docs/arithmetic.md has it, but for the halving.
  std::vector<double> multiply(const Codes& x, const Path& path) const {
    const auto k = static_cast<std::size_t>(k_);
    const Format spectrum_format = {path.bits, matrix_.spectrum.integer};
    const Format sum_format = {path.sum_bits(k_), matrix_.sum.integer};
    const Format product_format = {path.bits, matrix_.product.integer};
    const StageScale forward =
        path.place == ScalePlace::forward ? StageScale::half : StageScale::none;
    const StageScale inverse = path.halves_inverse() ? StageScale::half : StageScale::none;
    std::int64_t saturations = 0;
    std::vector<std::int64_t> from(k), to(k);
    Codes spectrum(x.size());
    for (std::size_t at = 0; at < x.size(); at += k) {
      for (std::size_t i = 0; i < k; ++i) from[i] = x[at + i] * (1 << kTransformGuardBits);
      integer_rfft(k_, from.data(), to.data(), forward);
      const int fraction = input_.fraction() + kTransformGuardBits - path.forward_shift(k_);
      for (std::size_t i = 0; i < k; ++i)
        spectrum[at + i] =
            static_cast<std::int32_t>(narrow(to[i], fraction, spectrum_format, saturations));
    }
    std::vector<double> y(static_cast<std::size_t>(matrix_.shape.rows));
    const std::int32_t* weight = matrix_.codes.data();
    const int guard = path.inverse_guard(k_);
    for (std::size_t row = 0; row < y.size(); row += k) {
      std::fill(to.begin(), to.end(), 0);
      for (std::size_t at = 0; at < x.size(); at += k, weight += k)
        add_block_product(k_, weight, &spectrum[at], to.data());
      const int fraction = matrix_.weight.fraction() + spectrum_format.fraction();
      for (std::size_t i = 0; i < k; ++i)
        from[i] = narrow(to[i], fraction, sum_format, saturations) * (std::int64_t{1} << guard);
      integer_irfft(k_, from.data(), to.data(), inverse);
      const int result = sum_format.fraction() + guard - path.inverse_shift(k_);
      for (std::size_t i = 0; i < k && row + i < y.size(); ++i)
        y[row + i] = dequantise(narrow(to[i], result, product_format, saturations), product_format);
    }
    return y;
  }

  QuantisedMatrix matrix_;
  Format input_;
  int k_;
  mutable RealTransform transform_;
  std::vector<double> columns_;  ///< of blocks [p, q, k]
  std::vector<Path> paths_;
};

}  // namespace

std::vector<ScaleError> compare_scale_places(const FloatNetwork& network,
                                             const QuantisedNetwork& quantised,
                                             const std::vector<FrameMatrix>& utterances,
                                             const std::vector<int>& bits, int stride) {
  std::vector<MatrixStudy> studies;
  std::map<std::string, std::size_t> places;
  for (const QuantisedLayer& layer : quantised.layers) {
    for (std::size_t i = 0; i < layer.matrices.size(); ++i) {
      if (layer.matrices[i].shape.block == 1) continue;
      places[layer.matrices[i].shape.name + ".spectrum"] = studies.size();
      studies.emplace_back(layer.matrices[i], layer.matrix_input(i), bits);
    }
  }
  long long frame = 0;
  Reference reference(network);
  reference.observe([&](const std::string& signal, const std::vector<double>& values) {
    const auto found = places.find(signal);
    if (found != places.end() && frame % stride == 0) studies[found->second].add(values);
  });
  for (const FrameMatrix& utterance : utterances) {
    reference.reset();
    for (int t = 0; t < utterance.rows; ++t, ++frame)
      reference.step({utterance.row(t), utterance.row(t) + utterance.cols});
  }
  std::vector<ScaleError> errors;
  for (const MatrixStudy& study : studies) study.finish(errors);
  return errors;
}

int transform_adder_bits(ScalePlace place, int k, int input_bits, int bits) {
  const Path path = {place, bits};
  int total = 0;
  for (int level = 1; level <= log2_of(k); ++level) {
    const int forward_growth = place == ScalePlace::forward ? 1 : level;
    const int inverse_growth = path.halves_inverse() ? 1 : level;
    total += k * (input_bits + kTransformGuardBits + forward_growth);
    total += k * (path.sum_bits(k) + path.inverse_guard(k) + 1 + inverse_growth);
  }
  return total;
}

}  // namespace ernn
