#include "train/fixed_point_ops.h"

#include <torch/autograd.h>
#include <torch/utils.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "export/activation_table.h"
#include "export/integer_transform.h"
#include "models/circulant.h"

namespace ernn::fixed_point {

namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

bool needs_gradient(const Tensor& x) {
  return at::GradMode::is_enabled() && x.requires_grad();
}

// floor(x 2^F + 1/2) = floor((floor(2 x 2^F) + 1) / 2), where nothing is rounded on the way.
Tensor round_half_up(const Tensor& x, int fraction) {
  return x.mul(std::ldexp(2.0, fraction)).floor_().add_(1).mul_(0.5).floor_();
}

Tensor limited(const Tensor& codes, const Format& format) {
  return codes.clamp(static_cast<double>(format.smallest()), static_cast<double>(format.largest()));
}

struct Narrow : torch::autograd::Function<Narrow> {
  static Tensor forward(AutogradContext* context, const Tensor& x, int64_t width, int64_t integer) {
    const Format format{static_cast<int>(width), static_cast<int>(integer)};
    const Tensor rounded = round_half_up(x, format.fraction());
    const Tensor codes = limited(rounded, format);
    // Hardly any signal meets its limit: most masks need not be kept.
    const bool inside = torch::equal(codes, rounded);
    context->saved_data["inside"] = inside;
    if (!inside) context->save_for_backward({codes == rounded});
    return codes.mul(std::ldexp(1.0, -format.fraction()));
  }
  static tensor_list backward(AutogradContext* context, const tensor_list& gradients) {
    if (context->saved_data["inside"].toBool()) return {gradients[0], Tensor(), Tensor()};
    return {gradients[0] * context->get_saved_variables()[0], Tensor(), Tensor()};
  }
};

struct StraightThrough : torch::autograd::Function<StraightThrough> {
  static Tensor forward(AutogradContext* /*context*/, const Tensor& /*surrogate*/,
                        const Tensor& value) {
    return value.detach();
  }
  static tensor_list backward(AutogradContext* /*context*/, const tensor_list& gradients) {
    return {gradients[0], Tensor()};
  }
};

/// Rows of k codes through an integer transform, which adds the guard fraction. A row with a value
/// that is not a number becomes one of such values: the trainer has to see them.
template <class IntegerTransform>
Tensor transform_rows(const Tensor& x, int k, int fraction, const IntegerTransform& transform) {
  const Tensor in = x.detach().contiguous();
  Tensor out = torch::empty_like(in);
  const auto* const from = in.data_ptr<double>();
  auto* const to = out.data_ptr<double>();
  const double to_code = std::ldexp(1.0, fraction + kTransformGuardBits);
  const double to_value = std::ldexp(1.0, -(fraction + kTransformGuardBits));
  std::array<std::int64_t, 64> row{};
  std::array<std::int64_t, 64> result{};
  for (int64_t at = 0; at < in.numel(); at += k) {
    if (std::any_of(from + at, from + at + k, [](double v) { return std::isnan(v); })) {
      std::fill_n(to + at, k, std::nan(""));
      continue;
    }
    for (int i = 0; i < k; ++i)
      row[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(from[at + i] * to_code);
    transform(k, row.data(), result.data());
    for (int i = 0; i < k; ++i)
      to[at + i] = static_cast<double>(result[static_cast<std::size_t>(i)]) * to_value;
  }
  return out;
}

}  // namespace

Tensor value_of(const Tensor& parameter) {
  const Tensor value = parameter.to(torch::kDouble);
  return value + value * 0;
}

Tensor narrow(const Tensor& x, const Format& format) {
  if (needs_gradient(x)) return Narrow::apply(x, format.width, format.integer);
  return limited(round_half_up(x, format.fraction()), format)
      .mul_(std::ldexp(1.0, -format.fraction()));
}

Tensor straight_through(const Tensor& x, const Tensor& value,
                        const std::function<Tensor()>& surrogate) {
  return needs_gradient(x) ? StraightThrough::apply(surrogate(), value) : value;
}

Tensor look_up(const Tensor& x, const ActivationTable& table, const QuantisedLayer& layer) {
  const Tensor in = x.detach().contiguous();
  Tensor value = torch::empty_like(in);
  const auto* const from = in.data_ptr<double>();
  auto* const to = value.data_ptr<double>();
  const double to_code = std::ldexp(1.0, layer.preactivation.fraction());
  const double to_value = std::ldexp(1.0, -layer.gate.fraction());
  for (int64_t i = 0; i < in.numel(); ++i) {
    if (std::isnan(from[i])) {
      to[i] = from[i];
      continue;
    }
    const auto code = static_cast<std::int64_t>(from[i] * to_code);
    to[i] =
        static_cast<double>(table_lookup(table, code, layer.preactivation, layer.gate)) * to_value;
  }
  return straight_through(x, value,
                          [&] { return table.kind == Activation::tanh ? x.tanh() : x.sigmoid(); });
}

Transform::Transform(int k)
    : k_(k),
      forward_matrix_(packed_rfft(torch::eye(k, torch::kDouble))),
      inverse_matrix_(k * packed_irfft(torch::eye(k, torch::kDouble))) {}

Tensor Transform::forward(const Tensor& blocks, int fraction) const {
  const Tensor value = transform_rows(blocks, k_, fraction,
                                      [](int k, const auto* x, auto* y) { integer_rfft(k, x, y); });
  return straight_through(blocks, value, [&] { return blocks.matmul(forward_matrix_); });
}

Tensor Transform::inverse(const Tensor& spectra, int fraction) const {
  const Tensor value = transform_rows(
      spectra, k_, fraction, [](int k, const auto* x, auto* y) { integer_irfft(k, x, y); });
  return straight_through(spectra, value, [&] { return spectra.matmul(inverse_matrix_); });
}

}  // namespace ernn::fixed_point
