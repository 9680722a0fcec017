#include "models/layer.h"

#include <cmath>

#include "compute/gates.h"
#include "models/cpu_matrix.h"
#include "models/feedforward.h"
#include "models/gru.h"
#include "models/lstm.h"

namespace ernn {

StructuredMatrix Layer::add_matrix(const MatrixShape& shape) {
  StructuredMatrix matrix(shape);
  matrices_.push_back(register_module(shape.name.substr(shape.name.rfind('.') + 1), matrix));
  return matrix;
}

bool Layer::uses_kernels(const torch::Tensor& x) const {
  return !plain_ && cpu::supports(x);
}

Gates Layer::gates_for(const torch::Tensor& x) const {
  const bool typed = x.scalar_type() == torch::kFloat || x.scalar_type() == torch::kDouble;
  return !plain_ && x.is_cuda() && typed && compute::has_gpu_steps() ? Gates::in_one_pass
                                                                     : Gates::by_operators;
}

void Layer::initialise_matrices(const at::Generator& generator) {
  for (auto& matrix : matrices_)
    matrix->initialise(1 / std::sqrt(static_cast<double>(matrix->shape().cols)), generator);
}

std::shared_ptr<Layer> make_layer(const LayerOptions& options,
                                  const std::vector<MatrixShape>& shapes) {
  switch (options.type) {
    case LayerType::lstm:
      return std::make_shared<LstmLayer>(options, shapes);
    case LayerType::gru:
      return std::make_shared<GruLayer>(options, shapes);
    case LayerType::feedforward:
      break;
  }
  return std::make_shared<FeedforwardLayer>(options, shapes.front());
}

}  // namespace ernn
