// What a model file says beside its weights: everything needed to turn speech into phones with it.
//
// Stored as JSON in the model file's metadata ("ernn.context") and copied into the artefact's
// manifest.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "features/feature_options.h"
#include "features/phones.h"
#include "train/decoder.h"
#include "train/scoring.h"

namespace ernn {

/// frame: cross-entropy on the label of each frame. ctc: connectionist temporal classification,
/// output 0 is the blank.
enum class Criterion { frame, ctc };
const std::vector<std::pair<Criterion, const char*>>& enum_names(Criterion);

struct ModelContext {
  FeatureOptions features;
  std::vector<double> mean;         ///< normalisation, [feature_dimension]
  std::vector<double> inverse_std;  ///< normalisation, [feature_dimension]
  PhoneInventory phones = PhoneInventory::timit61;
  Criterion criterion = Criterion::frame;
  int label_delay = 0;  ///< frames: the output at t + label_delay belongs to frame t
  DecoderOptions decoder;
  DecoderModel decoder_model;
  ScoringProtocol protocol = ScoringProtocol::kaldi;
  std::string run;         ///< name of the run that trained it
  std::string stage;       ///< name of the stage
  std::string stage_type;  ///< dense, admm or circulant
  std::int64_t seed = 0;
};

template <class Visitor>
void describe(Visitor& field, ModelContext& o) {
  field("features", o.features);
  field("mean", o.mean);
  field("inverse_std", o.inverse_std);
  field("phones", o.phones);
  field("criterion", o.criterion);
  field("label_delay", o.label_delay);
  field("decoder", o.decoder);
  field("decoder_model", o.decoder_model);
  field("protocol", o.protocol);
  field("run", o.run);
  field("stage", o.stage);
  field("stage_type", o.stage_type);
  field("seed", o.seed);
}

/// The context as JSON, every number so that it reads back as it was.
std::string to_json_text(const ModelContext& context);

/// Reads it back. Throws DataError naming `place` (the file) for broken JSON, unknown keys and
/// values of the wrong kind.
ModelContext model_context_from_json(const std::string& text, const std::string& place);

/// Width of the output layer: the phones, and the blank for CTC.
int output_count(PhoneInventory phones, Criterion criterion);

/// Throws UsageError, which begins with `where`, for a decoder whose options make no sense or which
/// does not suit the criterion.
void check_decoder(const DecoderOptions& decoder, Criterion criterion,
                   const std::string& where = "");

/// From the network's outputs [frames, outputs] to phones of `context.phones`: drops the first
/// `label_delay` rows (the output at t + delay belongs to frame t), normalises, decodes. Nothing is
/// left, and the answer empty, for an utterance no longer than the delay. Throws UsageError for a
/// width that is not output_count(), and what decode() throws.
std::vector<int> decode_utterance(const ModelContext& context, const FrameMatrix& logits);

}  // namespace ernn
