// The backward pass of circulant matrices whose results are one and the same y, or parts of it.
//
// In a recurrent layer W x and R y' are summed, and so dy is what the gradients of W and R and the
// products that give dx and dy' all begin with. Here its rows come frame by frame, the last frame
// first, are transformed once each and kept until a chunk of them is full, of which the gradients
// and dx are then taken.
#pragma once

#include <vector>

#include "compute/structured_product.h"

namespace ernn::compute {

/// One matrix [rows, cols] of block size 2 or more with what it multiplies; rows of all frames.
template <class T>
struct SharedMatrix {
  MatrixSize size;
  Rows<const T> x;
  /// When not null, dx is written, or added to what is there.
  const StructuredProduct<T>* backward = nullptr;
  Rows<T> dx = {};
  bool adds = false;
};

template <class T>
class SharedDerivatives {
 public:
  /// @param largest number of rows that a call of take() brings
  SharedDerivatives(Isa isa, const std::vector<SharedMatrix<T>>& matrices, Index largest);

  /// Takes n rows dy, which belong to row `first` and those behind it of x and dx.
  void take(Rows<const T> dy, Index n, Index first);
  /// The spectra of the rows of the last take(), as matrix i reads them.
  SpectraRows<const T> last(std::size_t i) const { return sources_[matrices_[i].source].last; }

  /// Computes what is left of a chunk.
  void flush();
  /// Adds the gradient of matrix i that another one has collected from other rows; both flushed.
  void add(std::size_t i, const SharedDerivatives& other);
  /// After flush(): writes the gradient of matrix i, [block_rows, block_cols, block].
  void finish(std::size_t i, T* gradient);

 private:
  struct Matrix {
    SharedMatrix<T> shared;
    WeightGradient<T> gradient;
    std::size_t source;
  };
  /// dy for one block size.
  struct Source {
    SpectraBuffer<T> spectra;
    SpectraRows<const T> last;
  };
  /// Rows that follow each other in x and dx as they do here.
  struct Segment {
    Index first;
    Index count;
  };

  void add_chunk(Matrix& matrix);

  Isa isa_;
  Index capacity_;
  Index rows_ = 0;
  std::vector<Source> sources_;
  std::vector<Matrix> matrices_;
  std::vector<Segment> segments_;  // the last one stands first in the spectra
  ProductScratch<T> scratch_;
  AlignedBuffer<T> x_memory_;
};

}  // namespace ernn::compute
