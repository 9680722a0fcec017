// The formats that a network was trained in (train/qat_stage.h), as its model file carries them.
#pragma once

#include <optional>
#include <string>

#include "export/export_options.h"
#include "export/float_network.h"
#include "export/profile.h"
#include "export/quantised_network.h"
#include "models/model_file.h"

namespace ernn {

/// Metadata of a model file: TrainedFormats as JSON.
inline constexpr const char* kFormatsKey = "ernn.formats";

struct TrainedFormats {
  QuantisationOptions options;  ///< what the formats were chosen by
  /// Formats and tables; weights, biases and peepholes have no codes or meaningless ones.
  QuantisedNetwork network;
};

/// "" when both choose formats alike, otherwise the first difference: "guard_bits is 4 there and 2
/// here".
std::string first_difference(const QuantisationOptions& there, const QuantisationOptions& here);

std::string to_json_text(const TrainedFormats& formats);

/// Reads them back. Throws DataError naming `place` for text that is none.
TrainedFormats trained_formats_from_json(const std::string& text, const std::string& place);

/// Those of a model file; nothing for a model that was not trained in fixed point. Throws DataError
/// naming `place`, also when they belong to a network of another shape.
std::optional<TrainedFormats> trained_formats(const ModelFile& model, const std::string& place);

/// `network` in the formats that it was trained in when `options` would choose alike, so that what
/// is deployed is what was trained; otherwise, and without such formats, as quantise() chooses
/// them.
QuantisedNetwork quantise(const FloatNetwork& network, const RangeProfile& profile,
                          const QuantisationOptions& options,
                          const std::optional<TrainedFormats>& trained);

}  // namespace ernn
