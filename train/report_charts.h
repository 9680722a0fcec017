// The drawings of the report, each as HTML with its key.
#pragma once

#include <string>

#include "train/report_data.h"

namespace ernn {

/// Train and dev loss, and dev PER, over optimiser steps, a colour a stage.
std::string training_charts(const RunData& run);

/// Distance, primal and dual residual and rho of each matrix, four drawings a stage. Empty when no
/// stage has them.
std::string admm_charts(const RunData& run);

/// PER and stored size of each row of the summary.
std::string result_charts(const RunData& run);

/// Confusions of phones: the matrix and the most frequent ones.
std::string confusion_chart(const ScoreFile& scores);

/// What a row of the summary is called: "dense", "circulant-k8 kernel, 12 bit".
std::string row_label(const SummaryRow& row);

/// 32-bit dense size over the row's size; 0 when there is no dense row.
double compression(const RunData& run, const SummaryRow& row);

}  // namespace ernn
