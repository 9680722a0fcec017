// Configuration as a tree of named values that remembers where each value was written.
//
// One tree serves YAML files, `--set a.b=c` and JSON metadata; options structs are read from it and
// written to it through base/options.h.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace ernn {

/// A scalar (kept as text), a list, a map with its keys in written order, or nothing (null).
class ConfigNode {
 public:
  enum class Kind { null, scalar, list, map };

  ConfigNode() = default;
  static ConfigNode null(std::string place);
  static ConfigNode scalar(std::string text, std::string place = "");
  static ConfigNode list(std::string place = "");
  static ConfigNode map(std::string place = "");

  /// Reads a YAML file. Throws UsageError with file and line for a syntax error or a repeated key.
  static ConfigNode from_yaml_file(const std::filesystem::path& path);
  static ConfigNode from_yaml_text(const std::string& text, const std::string& name);
  static ConfigNode from_json(const nlohmann::json& json, const std::string& place);

  std::string to_yaml() const;
  /// Numbers and booleans become JSON numbers and booleans, everything else strings.
  nlohmann::ordered_json to_json() const;

  /// Applies one `--set key.path=value`; list items are addressed by number (`stages.0.epochs=3`).
  /// The value is parsed as YAML, so `[a, b]` gives a list. Throws UsageError for a malformed
  /// assignment.
  void set(const std::string& assignment);

  Kind kind() const { return kind_; }
  const std::string& text() const { return text_; }
  /// Where the value was written, as `file:line` or `--set`, for error messages.
  const std::string& place() const { return place_; }
  const std::vector<ConfigNode>& items() const { return items_; }
  std::vector<ConfigNode>& items() { return items_; }
  const std::vector<std::pair<std::string, ConfigNode>>& entries() const { return entries_; }
  /// The value under `key`, or nullptr.
  const ConfigNode* find(const std::string& key) const;
  ConfigNode& operator[](const std::string& key);

  /// True for a scalar that was written in quotes and so is text whatever it looks like.
  bool quoted = false;

 private:
  Kind kind_ = Kind::null;
  std::string text_;
  std::string place_;
  std::vector<ConfigNode> items_;
  std::vector<std::pair<std::string, ConfigNode>> entries_;
};

}  // namespace ernn
