// What widths cost over several trained stages, as tables and as a page.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "train/width_sweep.h"

namespace ernn {

/// One trained stage at several widths, as sweep_widths() gives it, or several that differ in their
/// seeds and test speakers.
struct WidthStudy {
  std::string cell;  ///< as in SummaryRow
  int block = 1;
  std::vector<std::int64_t> seeds;
  std::vector<WidthResult> results;
  int runs = 1;
};

/// Studies of the same cell and block size as one. Those of one seed are of different test speakers
/// and make one larger test set; errors and tokens of seeds are added up. Saturations are added up,
/// SNRs in dB averaged over runs, sizes kept. In order of cell and block size. Throws UsageError
/// when such studies differ in widths, signals or protocol, when an utterance is in two of one
/// seed, and when seeds differ in their utterances.
std::vector<WidthStudy> merge_runs(const std::vector<WidthStudy>& studies);

/// Two tables in Markdown: PERs by cell, block size and width with standard errors over utterances;
/// SNRs and saturations. All studies have the same widths.
std::string width_comparison(const std::vector<WidthStudy>& studies);

/// The same as a page without outside references, with PER over width and, for each cell, the SNR
/// and saturations of every signal at every block size and width.
std::string width_page(const std::vector<WidthStudy>& studies);

}  // namespace ernn
