#include "train/model_context.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/options.h"
#include "train/label_delay.h"

namespace ernn {

const std::vector<std::pair<Criterion, const char*>>& enum_names(Criterion) {
  static const std::vector<std::pair<Criterion, const char*>> names = {{Criterion::frame, "frame"},
                                                                       {Criterion::ctc, "ctc"}};
  return names;
}

std::string to_json_text(const ModelContext& context) {
  return write_options(context).to_json().dump();
}

ModelContext model_context_from_json(const std::string& text, const std::string& place) {
  try {
    return read_options<ModelContext>(ConfigNode::from_json(nlohmann::json::parse(text), place));
  } catch (const nlohmann::json::exception& error) {
    throw DataError(fmt::format("{}: broken context: {}", place, error.what()));
  } catch (const UsageError& error) {
    throw DataError(error.what());
  }
}

int output_count(PhoneInventory phones, Criterion criterion) {
  return static_cast<int>(phone_symbols(phones).size()) + (criterion == Criterion::ctc ? 1 : 0);
}

void check_decoder(const DecoderOptions& decoder, Criterion criterion, const std::string& where) {
  validate(decoder, where + "decoder");
  const bool ctc = decoder.type == DecoderType::ctc_greedy || decoder.type == DecoderType::ctc_beam;
  if (ctc == (criterion == Criterion::ctc)) return;
  throw UsageError(fmt::format(
      "{}decoder.type: found {}, expected {} with the criterion {}", where, name_of(decoder.type),
      ctc ? "greedy or viterbi" : "ctc_greedy or ctc_beam", name_of(criterion)));
}

std::vector<int> decode_utterance(const ModelContext& context, const FrameMatrix& logits) {
  check_decoder(context.decoder, context.criterion);
  const int outputs = output_count(context.phones, context.criterion);
  if (logits.cols != outputs) {
    throw UsageError(
        fmt::format("the network has {} outputs, the phones {} with criterion {} need {}",
                    logits.cols, name_of(context.phones), name_of(context.criterion), outputs));
  }
  if (context.label_delay < 0)
    throw UsageError(fmt::format("context.label_delay: {} is negative", context.label_delay));
  FrameMatrix posteriors = without_delay_frames(logits, context.label_delay);
  log_softmax(posteriors);
  return decode(posteriors, context.decoder_model, context.decoder);
}

}  // namespace ernn
