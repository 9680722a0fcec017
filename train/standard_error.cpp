#include "train/standard_error.h"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

#include "base/error.h"

namespace ernn {

namespace {

/// Of 100 sum(errors) / sum(tokens), from the spread of errors around their share of tokens.
double standard_error_of_ratio(const std::vector<double>& errors,
                               const std::vector<double>& tokens) {
  const auto count = static_cast<double>(errors.size());
  const double all_tokens = std::accumulate(tokens.begin(), tokens.end(), 0.0);
  if (count < 2 || !(all_tokens > 0)) return 0;
  const double ratio = std::accumulate(errors.begin(), errors.end(), 0.0) / all_tokens;
  double squares = 0;
  for (std::size_t u = 0; u < errors.size(); ++u) {
    const double residual = errors[u] - ratio * tokens[u];
    squares += residual * residual;
  }
  return 100 * std::sqrt(count / (count - 1) * squares) / all_tokens;
}

}  // namespace

double standard_error(const ScoreSheet& sheet) {
  std::vector<double> errors, tokens;
  for (const UtteranceScore& utterance : sheet.utterances) {
    errors.push_back(static_cast<double>(utterance.counts.errors()));
    tokens.push_back(static_cast<double>(utterance.counts.tokens));
  }
  return standard_error_of_ratio(errors, tokens);
}

double standard_error_of_change(const ScoreSheet& before, const ScoreSheet& after) {
  if (before.utterances.size() != after.utterances.size()) {
    throw DataError(fmt::format("a change of PER from {} to {} utterances; expected the same ones",
                                before.utterances.size(), after.utterances.size()));
  }
  std::vector<double> errors, tokens;
  for (std::size_t u = 0; u < before.utterances.size(); ++u) {
    const UtteranceScore& old = before.utterances[u];
    const UtteranceScore& now = after.utterances[u];
    if (old.id != now.id || old.counts.tokens != now.counts.tokens) {
      throw DataError(fmt::format(
          "a change of PER from utterance {} of {} tokens to {} of {}; expected the same one",
          old.id, old.counts.tokens, now.id, now.counts.tokens));
    }
    errors.push_back(static_cast<double>(now.counts.errors() - old.counts.errors()));
    tokens.push_back(static_cast<double>(now.counts.tokens));
  }
  return standard_error_of_ratio(errors, tokens);
}

}  // namespace ernn
