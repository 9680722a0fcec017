#include "explore/sensitivity_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "explore/json_file.h"

namespace ernn {

std::optional<SensitivityTable> read_sensitivity(const std::filesystem::path& path) {
  return read_json_options<SensitivityTable>(path);
}

void write_sensitivity(const SensitivityTable& table, const std::filesystem::path& path) {
  write_json_options(table, path);
}

PlaceLosses place_losses(const SensitivityTable& table, const ModelOptions& model,
                         const std::vector<BlockPlace>& places) {
  const std::vector<MatrixShape> shapes = matrix_shapes(model);
  const auto same = [](const MatrixSensitivity& one, const MatrixShape& shape) {
    return one.matrix == shape.name;
  };
  if (!std::equal(table.matrices.begin(), table.matrices.end(), shapes.begin(), shapes.end(), same))
    throw std::logic_error("the sensitivities are of another network");
  PlaceLosses losses;
  for (const BlockPlace& place : places) {
    std::vector<double>& by_size = losses.emplace_back();
    for (const int k : place.sizes) {
      double loss = 0;
      for (const std::size_t m : place.matrices) {
        const MatrixSensitivity& matrix = table.matrices[m];
        const auto size = std::find(matrix.sizes.begin(), matrix.sizes.end(), k);
        loss += matrix.loss.at(static_cast<std::size_t>(size - matrix.sizes.begin()));
      }
      by_size.push_back(loss);
    }
  }
  return losses;
}

}  // namespace ernn
