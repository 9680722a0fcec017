// The plain matrix in which features and network outputs travel between modules.
#pragma once

#include <cstddef>
#include <vector>

namespace ernn {

/// Row-major matrix: one row a frame, one column a dimension.
struct FrameMatrix {
  int rows = 0;
  int cols = 0;
  std::vector<float> data;

  FrameMatrix() = default;
  FrameMatrix(int frames, int dims)
      : rows(frames), cols(dims), data(static_cast<std::size_t>(frames) * dims, 0.0F) {}

  float* row(int r) { return data.data() + static_cast<std::size_t>(r) * cols; }
  const float* row(int r) const { return data.data() + static_cast<std::size_t>(r) * cols; }
  float& at(int r, int c) { return row(r)[c]; }
  float at(int r, int c) const { return row(r)[c]; }
};

}  // namespace ernn
