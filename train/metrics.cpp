#include "train/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "base/files.h"

namespace ernn {

std::string to_json_line(const EpochRecord& record) {
  nlohmann::ordered_json json;
  json["stage"] = record.stage;
  json["type"] = record.type;
  json["epoch"] = record.epoch;
  json["step"] = record.step;
  json["train_loss"] = record.train_loss;
  json["dev_loss"] = record.dev_loss;
  if (record.dev_frame_error) json["dev_frame_error"] = *record.dev_frame_error;
  json["dev_per"] = record.dev_per;
  if (record.projected_dev_per) json["projected_dev_per"] = *record.projected_dev_per;
  json["learning_rate"] = record.learning_rate;
  json["seconds"] = std::round(record.seconds * 1000) / 1000;
  json["data_wait"] = std::round(record.data_wait * 1e5) / 1e5;
  if (!record.admm.empty()) json["admm"] = nlohmann::ordered_json::array();
  for (const auto& matrix : record.admm) {
    json["admm"].push_back({{"matrix", matrix.matrix},
                            {"rho", matrix.rho},
                            {"primal", matrix.primal},
                            {"dual", matrix.dual},
                            {"distance", matrix.distance}});
  }
  return json.dump();
}

std::string to_text(const EpochRecord& record, int epochs) {
  std::string text = fmt::format("{} {}/{}  loss {:.4f}  dev loss {:.4f}", record.stage,
                                 record.epoch, epochs, record.train_loss, record.dev_loss);
  if (record.dev_frame_error)
    text += fmt::format("  frame error {:.2f} %", *record.dev_frame_error);
  text += fmt::format("  dev PER {:.2f} %", record.dev_per);
  if (record.projected_dev_per)
    text += fmt::format(" (projected {:.2f} %)", *record.projected_dev_per);
  double distance = 0;
  for (const auto& matrix : record.admm) distance = std::max(distance, matrix.distance);
  if (!record.admm.empty()) text += fmt::format("  largest distance {:.4f}", distance);
  return text + fmt::format("  lr {:.3g}  {:.1f} s  {:.1f} % waiting for data",
                            record.learning_rate, record.seconds, 100 * record.data_wait);
}

MetricsFile::MetricsFile(std::filesystem::path path, long long bytes)
    : path_(std::move(path)), bytes_(bytes) {
  std::string kept;
  if (std::filesystem::exists(path_)) kept = read_file(path_);
  if (static_cast<long long>(kept.size()) < bytes) {
    throw DataError(fmt::format("{}: found {} bytes, expected at least {} as the checkpoint says",
                                path_.string(), kept.size(), bytes));
  }
  if (static_cast<long long>(kept.size()) == bytes) return;
  kept.resize(static_cast<std::size_t>(bytes));
  write_file(path_, kept);
}

void MetricsFile::append(const EpochRecord& record) {
  const std::string line = to_json_line(record) + "\n";
  std::ofstream file(path_, std::ios::binary | std::ios::app);
  file << line;
  file.close();
  if (!file) throw DataError(fmt::format("{}: cannot be written (disk full?)", path_.string()));
  bytes_ += static_cast<long long>(line.size());
}

}  // namespace ernn
