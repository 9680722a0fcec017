#include "train/parameter_average.h"

#include <gtest/gtest.h>
#include <torch/utils.h>

#include <algorithm>

#include "base/error.h"
#include "tests/train/toy.h"

namespace ernn {
namespace {

AcousticModel small_model() {
  ModelOptions options = toy::config().model;
  options.outputs = 3;
  AcousticModel model(options);
  model->initialise(1);
  return model;
}

/// Sets every parameter to `value`.
void fill(const AcousticModel& model, double value) {
  const torch::NoGradGuard no_gradient;
  for (auto& parameter : model->parameters()) parameter.fill_(value);
}

double first(const AcousticModel& model) {
  return model->parameters()[0].view(-1)[0].item<double>();
}

TEST(ParameterAverage, IsTheRecursionOfItsDefinition) {
  const AcousticModel model = small_model();
  fill(model, 2);
  ParameterAverage average(model, 0.5);
  double expected = 2;
  for (int t = 0; t < 20; ++t) {
    const double value = t * t % 7;
    fill(model, value);
    average.update();
    const double decay = std::min(0.5, (1.0 + t) / (10.0 + t));
    expected = decay * expected + (1 - decay) * value;
  }
  const double own = first(model);
  average.swap();
  EXPECT_NEAR(first(model), expected, 1e-6);
  average.swap();
  EXPECT_EQ(first(model), own);
  average.reset();
  average.swap();
  EXPECT_EQ(first(model), own);
}

TEST(ParameterAverage, GoesOnFromItsState) {
  const AcousticModel model = small_model();
  ParameterAverage whole(model, 0.9);
  ParameterAverage first_half(model, 0.9);
  fill(model, 1);
  whole.update();
  first_half.update();
  const auto state = first_half.state();
  ParameterAverage resumed(model, 0.9);
  resumed.restore(state, "checkpoint");
  fill(model, -3);
  whole.update();
  resumed.update();
  whole.swap();
  const double expected = first(model);
  whole.swap();
  resumed.swap();
  EXPECT_EQ(first(model), expected);

  auto broken = state;
  broken.erase("output.bias");
  EXPECT_THROW(resumed.restore(broken, "checkpoint"), DataError);
}

}  // namespace
}  // namespace ernn
