// sigmoid and tanh inside the frame kernels, over their whole range.
#include <cmath>
#include <limits>

#include "tests/compute/kernel_test.h"

namespace ernn::compute {
namespace {

template <class T>
std::vector<T> range() {
  std::vector<T> x = {T(0),   T(-0.0), T(1e-30), T(-1e-20), T(1e-4), T(-1e-4),
                      T(300), T(-300), T(88.5),  T(-88.5),  T(1e30), T(-1e30)};
  for (int i = -4000; i <= 4000; ++i) x.push_back(static_cast<T>(i) / 200);
  return x;
}

// A GRU frame with no history and all gates' arguments x: h = sigmoid(x) tanh(x).
template <class T>
void run(Isa isa, const std::vector<T>& x, std::vector<T>& sigmoid, std::vector<T>& tanh) {
  const auto size = static_cast<Index>(x.size());
  std::vector<T> gates(x);
  gates.insert(gates.end(), x.begin(), x.end());
  std::vector<T> inner(x.size());
  tanh = x;
  std::vector<T> hidden(x.size());
  GruFrame<T> frame;
  frame.batch = 1;
  frame.size = size;
  frame.gates = gates.data();
  frame.inner = inner.data();
  frame.candidate = tanh.data();
  frame.hidden = hidden.data();
  kernels<T>(isa).gru_gates(frame);
  kernels<T>(isa).gru_hidden(frame);
  sigmoid.assign(gates.begin(), gates.begin() + size);
}

TEST(Activations, AreAccurateToRoundingEverywhere) {
  for_all_kernels([](Isa isa, auto type) {
    using T = decltype(type);
    const auto x = range<T>();
    std::vector<T> sigmoid;
    std::vector<T> tanh;
    run(isa, x, sigmoid, tanh);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto argument = static_cast<double>(x[i]);
      const double s = 1 / (1 + std::exp(-argument));
      const double t = std::tanh(argument);
      ASSERT_NEAR(sigmoid[i], s, 3 * kRounding<T> * s + 1e-37) << argument;
      ASSERT_NEAR(tanh[i], t, 4 * kRounding<T> * std::abs(t)) << argument;
    }
  });
}

TEST(Activations, NanStaysNan) {
  for_all_kernels([](Isa isa, auto type) {
    using T = decltype(type);
    std::vector<T> sigmoid;
    std::vector<T> tanh;
    run<T>(isa, {std::numeric_limits<T>::quiet_NaN()}, sigmoid, tanh);
    EXPECT_TRUE(std::isnan(sigmoid[0]));
    EXPECT_TRUE(std::isnan(tanh[0]));
  });
}

}  // namespace
}  // namespace ernn::compute
