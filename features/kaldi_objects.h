// The objects inside Kaldi's archives: one matrix or one integer vector, binary or text.
#pragma once

#include <string>

#include "base/frame_matrix.h"
#include "features/byte_reader.h"
#include "features/kaldi_table.h"

namespace ernn {

/// Reads the object at the reader's position and leaves the position behind it. Errors are
/// DataErrors.
FrameMatrix read_kaldi_matrix(ByteReader& in);
KaldiIntegers read_kaldi_integers(ByteReader& in);

/// The object's bytes, as they stand behind the key and its space.
std::string kaldi_matrix_bytes(const FrameMatrix& value, KaldiFormat format);
std::string kaldi_integers_bytes(const KaldiIntegers& value, KaldiFormat format);

}  // namespace ernn
