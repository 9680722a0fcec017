// The arithmetic of the gates of one frame of a recurrence, element by element: one pass where
// LibTorch's operators take seven. On a GPU a pass is one launch, and launches are what bounds a
// recurrence there.
//
// A step below is the work for all of a frame; step(n) does that of element n = utterance * size +
// cell. Matrices are rows of utterances in memory without gaps, unless said. Equations:
// models/lstm.h and models/gru.h.
#pragma once

#include <cmath>
#include <cstdint>

#ifdef __CUDACC__
#define ERNN_ON_DEVICE __host__ __device__
#else
#define ERNN_ON_DEVICE
#endif

namespace ernn::compute {

template <class T>
ERNN_ON_DEVICE inline T sigmoid(T x) {
  return 1 / (1 + std::exp(-x));
}

/// From the arguments of the gates, less the peepholes, to the cell and its output.
template <class T>
struct LstmForward {
  std::int64_t size;   ///< cells
  T* gates;            ///< [batch, 4 size]: arguments of i, f, g, o; afterwards their values
  const T* before;     ///< c', [batch, size]
  const T* peepholes;  ///< [3, size] of i, f, o, or null
  T clip;              ///< limit of |c|, 0 for none
  T* cell;             ///< c, [batch, size]
  T* squashed;         ///< tanh(c), [batch, size]
  T* hidden;           ///< o tanh(c), [batch, size]

  ERNN_ON_DEVICE void operator()(std::int64_t n) const {
    const std::int64_t j = n % size;
    T* const gate = gates + (n / size) * 4 * size + j;
    const bool peep = peepholes != nullptr;
    const T i = sigmoid(gate[0] + (peep ? before[n] * peepholes[j] : 0));
    const T f = sigmoid(gate[size] + (peep ? before[n] * peepholes[size + j] : 0));
    const T g = std::tanh(gate[2 * size]);
    T c = i * g + f * before[n];
    if (clip > 0) c = c > clip ? clip : (c < -clip ? -clip : c);
    const T o = sigmoid(gate[3 * size] + (peep ? c * peepholes[2 * size + j] : 0));
    const T s = std::tanh(c);
    gate[0] = i;
    gate[size] = f;
    gate[2 * size] = g;
    gate[3 * size] = o;
    cell[n] = c;
    squashed[n] = s;
    hidden[n] = o * s;
  }
};

/// Back from the derivative of the cell's output to those of the gates' arguments and of c'.
template <class T>
struct LstmBackward {
  std::int64_t size;
  const T* gates;      ///< values, as LstmForward leaves them
  const T* before;     ///< c'
  const T* peepholes;  ///< or null
  T clip;
  const T* cell;
  const T* squashed;
  const T* d_hidden;  ///< [batch, size]
  T* d_cell;          ///< [batch, size]: what the later frame passes on; afterwards for the earlier
  T* d_gates;         ///< [batch, 4 size]: of the arguments

  ERNN_ON_DEVICE void operator()(std::int64_t n) const {
    const std::int64_t j = n % size;
    const std::int64_t first = (n / size) * 4 * size + j;
    const T i = gates[first];
    const T f = gates[first + size];
    const T g = gates[first + 2 * size];
    const T o = gates[first + 3 * size];
    const T s = squashed[n];
    const bool peep = peepholes != nullptr;
    const T d_o = d_hidden[n] * s * o * (1 - o);
    T d_c = d_cell[n] + d_hidden[n] * o * (1 - s * s);
    if (peep) d_c += d_o * peepholes[2 * size + j];
    if (clip > 0 && !(std::fabs(cell[n]) < clip)) d_c = 0;
    const T d_i = d_c * g * i * (1 - i);
    const T d_f = d_c * before[n] * f * (1 - f);
    d_gates[first] = d_i;
    d_gates[first + size] = d_f;
    d_gates[first + 2 * size] = d_c * i * (1 - g * g);
    d_gates[first + 3 * size] = d_o;
    d_cell[n] = d_c * f + (peep ? d_i * peepholes[j] + d_f * peepholes[size + j] : 0);
  }
};

/// GRU with the reset before the product: z, r, and r . h', which is multiplied next.
template <class T>
struct GruReset {
  std::int64_t size;
  T* gates;         ///< [batch, 2 size]: arguments of z and r; afterwards their values
  const T* before;  ///< h', [batch, size]
  T* reset;         ///< r . h', [batch, size]

  ERNN_ON_DEVICE void operator()(std::int64_t n) const {
    T* const gate = gates + (n / size) * 2 * size + n % size;
    gate[0] = sigmoid(gate[0]);
    gate[size] = sigmoid(gate[size]);
    reset[n] = gate[size] * before[n];
  }
};

/// The same: the candidate and the output.
template <class T>
struct GruOutput {
  std::int64_t size;
  const T* gates;   ///< values of z and r, as GruReset leaves them
  const T* before;  ///< h'
  T* candidate;     ///< [batch, size]: argument of n; afterwards n
  T* output;        ///< h, [batch, size]

  ERNN_ON_DEVICE void operator()(std::int64_t n) const {
    const T z = gates[(n / size) * 2 * size + n % size];
    candidate[n] = std::tanh(candidate[n]);
    output[n] = before[n] + z * (candidate[n] - before[n]);
  }
};

/// GRU with the reset after the product: all of a frame behind the products.
template <class T>
struct GruAfter {
  std::int64_t size;
  const T* input;  ///< W_c x + b_c, rows `stride` apart
  std::int64_t stride;
  T* gates;         ///< [batch, 2 size]: arguments of z and r; afterwards their values
  const T* inner;   ///< U_c h' + b_v, [batch, size]
  const T* before;  ///< h'
  T* candidate;     ///< n, [batch, size]
  T* output;        ///< h, [batch, size]

  ERNN_ON_DEVICE void operator()(std::int64_t n) const {
    const std::int64_t b = n / size;
    const std::int64_t j = n % size;
    T* const gate = gates + b * 2 * size + j;
    const T z = sigmoid(gate[0]);
    const T r = sigmoid(gate[size]);
    gate[0] = z;
    gate[size] = r;
    candidate[n] = std::tanh(input[b * stride + j] + r * inner[n]);
    output[n] = before[n] + z * (candidate[n] - before[n]);
  }
};

/// GRU, both forms: from the derivative of h to those of z's and n's arguments, and with the reset
/// after the product to r's and that of U_c h' + b_v.
template <class T>
struct GruBackward {
  std::int64_t size;
  const T* gates;      ///< values of z and r, [batch, 2 size]
  const T* before;     ///< h'
  const T* candidate;  ///< n
  const T* inner;      ///< U_c h' + b_v; null: the reset is before the product
  const T* given;      ///< derivative of this frame's output, [batch, size]
  T* d_output;  ///< [batch, size]: what the later frame passes on; afterwards its part for h'
  T* d_input;   ///< [batch, 3 size]: of the arguments of z, r and n
  T* d_inner;   ///< [batch, size], or null

  ERNN_ON_DEVICE void operator()(std::int64_t n) const {
    const std::int64_t b = n / size;
    const std::int64_t j = n % size;
    const T z = gates[b * 2 * size + j];
    const T d_h = d_output[n] + given[n];
    T* const d = d_input + b * 3 * size + j;
    const T d_n = d_h * z * (1 - candidate[n] * candidate[n]);
    d[0] = d_h * (candidate[n] - before[n]) * z * (1 - z);
    d[2 * size] = d_n;
    d_output[n] = d_h * (1 - z);
    if (inner == nullptr) return;
    const T r = gates[b * 2 * size + size + j];
    d[size] = d_n * inner[n] * r * (1 - r);
    d_inner[n] = d_n * r;
  }
};

/// GRU with the reset before the product: from the derivative of r . h' to those of r's argument
/// and of h'.
template <class T>
struct GruResetBackward {
  std::int64_t size;
  const T* gates;
  const T* before;
  const T* d_reset;  ///< [batch, size]
  T* d_output;       ///< its part for h' is added
  T* d_input;        ///< [batch, 3 size]: r's part is written

  ERNN_ON_DEVICE void operator()(std::int64_t n) const {
    const std::int64_t b = n / size;
    const std::int64_t j = n % size;
    const T r = gates[b * 2 * size + size + j];
    d_input[b * 3 * size + size + j] = d_reset[n] * before[n] * r * (1 - r);
    d_output[n] += d_reset[n] * r;
  }
};

/// Where the memory of a step lies and its elements are computed.
enum class Place { host, gpu };

/// Whether this build has the steps for GPUs: it was made with LibTorch for CUDA and CUDA's
/// compiler.
bool has_gpu_steps();

/// Computes elements 0 to count - 1 of a step of float or double; on a GPU in order behind what was
/// launched before on the default stream, without waiting for it. Throws std::runtime_error when
/// the launch fails or this build has none.
template <class Step>
void run_step(Place place, const Step& step, std::int64_t count);

}  // namespace ernn::compute
