// A model file in words, for `ernn info`.
#pragma once

#include <string>

#include "models/model_file.h"

namespace ernn {

/// Layers, matrices with their block sizes and stored numbers, sizes at 32 and 12 bits, and the
/// context. `name` stands for the file in messages. Throws DataError for a broken context.
std::string describe_model(const ModelFile& model, const std::string& name);

}  // namespace ernn
