#include "train/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
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

MetricsFile::MetricsFile(std::filesystem::path path, const std::string& stage, int epochs)
    : path_(std::move(path)) {
  const std::string text = std::filesystem::exists(path_) ? read_file(path_) : "";
  std::istringstream lines(text.substr(0, text.rfind('\n') + 1));
  int number = 0;
  int found = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    try {
      const auto json = nlohmann::json::parse(line);
      const bool own = json.at("stage").get<std::string>() == stage;
      if (own && json.at("epoch").get<int>() > epochs) continue;
      if (own) ++found;
    } catch (const nlohmann::json::exception& error) {
      throw DataError(fmt::format("{}:{}: {}", path_.string(), number, error.what()));
    }
    text_ += line + "\n";
  }
  if (found < epochs) {
    throw DataError(fmt::format(
        "{}: found {} epochs of stage '{}', expected {} as its checkpoint says; bring the file "
        "back, or remove the stage's folder to train it again",
        path_.string(), found, stage, epochs));
  }
  if (text_ != text) write_file(path_, text_);
}

void MetricsFile::append(const EpochRecord& record) {
  text_ += to_json_line(record) + "\n";
  write_file(path_, text_);
}

}  // namespace ernn
