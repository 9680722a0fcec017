#include "base/config_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"

namespace ernn {

namespace {

ConfigNode convert(const YAML::Node& yaml, const std::string& name, bool with_line) {
  const auto place_of = [&](const YAML::Node& node) {
    return with_line ? fmt::format("{}:{}", name, node.Mark().line + 1) : name;
  };
  const std::string place = place_of(yaml);
  switch (yaml.Type()) {
    case YAML::NodeType::Scalar: {
      ConfigNode node = ConfigNode::scalar(yaml.Scalar(), place);
      node.quoted = yaml.Tag() == "!";
      return node;
    }
    case YAML::NodeType::Sequence: {
      ConfigNode node = ConfigNode::list(place);
      for (const auto& item : yaml) node.items().push_back(convert(item, name, with_line));
      return node;
    }
    case YAML::NodeType::Map: {
      ConfigNode node = ConfigNode::map(place);
      for (const auto& entry : yaml) {
        const std::string key = entry.first.Scalar();
        if (node.find(key) != nullptr) {
          throw UsageError(fmt::format("{}:{}: key '{}' is given twice", name,
                                       entry.first.Mark().line + 1, key));
        }
        // Where nothing is written, the library's line is that of what follows.
        node[key] = entry.second.IsNull() ? ConfigNode::null(place_of(entry.first))
                                          : convert(entry.second, name, with_line);
      }
      return node;
    }
    default:
      return ConfigNode::null(place);
  }
}

ConfigNode parse_yaml(const std::string& text, const std::string& name, bool with_line) {
  try {
    return convert(YAML::Load(text), name, with_line);
  } catch (const YAML::Exception& error) {
    throw UsageError(
        fmt::format("{}:{}: not valid YAML: {}", name, error.mark.line + 1, error.msg));
  }
}

bool is_bool(const std::string& text) {
  return text == "true" || text == "false";
}

bool looks_like_number_or_keyword(const std::string& text) {
  double number = 0;
  return parse_double(text, number) || is_bool(text) || text == "null" || text == "~";
}

void emit(YAML::Emitter& out, const ConfigNode& node) {
  switch (node.kind()) {
    case ConfigNode::Kind::null:
      out << YAML::Null;
      break;
    case ConfigNode::Kind::scalar:
      if (node.quoted && looks_like_number_or_keyword(node.text())) out << YAML::DoubleQuoted;
      out << node.text();
      break;
    case ConfigNode::Kind::list: {
      bool flat = true;
      for (const auto& item : node.items()) flat = flat && item.kind() == ConfigNode::Kind::scalar;
      if (flat) out << YAML::Flow;
      out << YAML::BeginSeq;
      for (const auto& item : node.items()) emit(out, item);
      out << YAML::EndSeq;
      break;
    }
    case ConfigNode::Kind::map:
      out << YAML::BeginMap;
      for (const auto& [key, value] : node.entries()) {
        out << YAML::Key << key << YAML::Value;
        emit(out, value);
      }
      out << YAML::EndMap;
      break;
  }
}

}  // namespace

ConfigNode ConfigNode::scalar(std::string text, std::string place) {
  ConfigNode node;
  node.kind_ = Kind::scalar;
  node.text_ = std::move(text);
  node.place_ = std::move(place);
  return node;
}

ConfigNode ConfigNode::null(std::string place) {
  ConfigNode node;
  node.place_ = std::move(place);
  return node;
}

ConfigNode ConfigNode::list(std::string place) {
  ConfigNode node;
  node.kind_ = Kind::list;
  node.place_ = std::move(place);
  return node;
}

ConfigNode ConfigNode::map(std::string place) {
  ConfigNode node;
  node.kind_ = Kind::map;
  node.place_ = std::move(place);
  return node;
}

ConfigNode ConfigNode::from_yaml_file(const std::filesystem::path& path) {
  return parse_yaml(read_file(path), path.string(), true);
}

ConfigNode ConfigNode::from_yaml_text(const std::string& text, const std::string& name) {
  return parse_yaml(text, name, true);
}

ConfigNode ConfigNode::from_json(const nlohmann::json& json, const std::string& place) {
  if (json.is_object()) {
    ConfigNode node = map(place);
    for (const auto& [key, value] : json.items()) node[key] = from_json(value, place);
    return node;
  }
  if (json.is_array()) {
    ConfigNode node = list(place);
    for (const auto& item : json) node.items().push_back(from_json(item, place));
    return node;
  }
  if (json.is_null()) return null(place);
  ConfigNode node = scalar(json.is_string() ? json.get<std::string>() : json.dump(), place);
  node.quoted = json.is_string();
  return node;
}

std::string ConfigNode::to_yaml() const {
  YAML::Emitter out;
  emit(out, *this);
  return std::string(out.c_str()) + "\n";
}

nlohmann::ordered_json ConfigNode::to_json() const {
  switch (kind_) {
    case Kind::null:
      return nullptr;
    case Kind::scalar: {
      long long integer = 0;
      double number = 0;
      if (quoted) return text_;
      if (is_bool(text_)) return text_ == "true";
      if (parse_int(text_, integer)) return integer;
      if (parse_double(text_, number)) return number;
      return text_;
    }
    case Kind::list: {
      auto json = nlohmann::ordered_json::array();
      for (const auto& item : items_) json.push_back(item.to_json());
      return json;
    }
    case Kind::map: {
      auto json = nlohmann::ordered_json::object();
      for (const auto& [key, value] : entries_) json[key] = value.to_json();
      return json;
    }
  }
  return nullptr;
}

const ConfigNode* ConfigNode::find(const std::string& key) const {
  for (const auto& entry : entries_) {
    if (entry.first == key) return &entry.second;
  }
  return nullptr;
}

ConfigNode& ConfigNode::operator[](const std::string& key) {
  if (kind_ == Kind::null) kind_ = Kind::map;
  for (auto& entry : entries_) {
    if (entry.first == key) return entry.second;
  }
  entries_.emplace_back(key, ConfigNode());
  return entries_.back().second;
}

void ConfigNode::set(const std::string& assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw UsageError(fmt::format("--set {}: expected key.path=value", assignment));
  }
  const std::string place = "--set " + assignment;
  ConfigNode* node = this;
  for (const auto& part : split(assignment.substr(0, equals), '.')) {
    if (node->kind_ == Kind::list) {
      long long index = -1;
      if (!parse_int(part, index) || index < 0 ||
          index >= static_cast<long long>(node->items_.size())) {
        throw UsageError(fmt::format("{}: '{}' is not an item of a list of {}", place, part,
                                     node->items_.size()));
      }
      node = &node->items_[static_cast<std::size_t>(index)];
    } else if (node->kind_ == Kind::scalar) {
      throw UsageError(
          fmt::format("{}: '{}' has no parts, its value is '{}'", place, part, node->text_));
    } else {
      node = &(*node)[part];
    }
  }
  *node = parse_yaml(assignment.substr(equals + 1), place, false);
}

}  // namespace ernn
