// Whether two runs came out the same.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/text.h"

namespace ernn {

/// The lines of a run's metrics.
inline std::vector<nlohmann::json> metrics(const std::filesystem::path& out) {
  std::vector<nlohmann::json> lines;
  for (const auto& line : split(read_file(out / "metrics.jsonl"), '\n')) {
    if (!line.empty()) lines.push_back(nlohmann::json::parse(line));
  }
  return lines;
}

/// The same models, decoded phones, scores and metrics but for what was measured by the clock.
inline void expect_same_run(const std::filesystem::path& a, const std::filesystem::path& b,
                            const std::vector<std::string>& stages) {
  for (const auto& stage : stages) {
    for (const char* file : {"model.safetensors", "test/hyp.trn", "test/scores.json"}) {
      EXPECT_EQ(read_file(a / stage / file), read_file(b / stage / file)) << stage << " " << file;
    }
  }
  auto first = metrics(a);
  auto second = metrics(b);
  ASSERT_EQ(first.size(), second.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    for (const char* measured : {"seconds", "data_wait"}) {
      first[i].erase(measured);
      second[i].erase(measured);
    }
    EXPECT_EQ(first[i], second[i]) << "line " << i + 1;
  }
}

}  // namespace ernn
