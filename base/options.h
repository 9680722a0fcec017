// Options structs to and from a ConfigNode.
//
// A struct takes part by one function beside it, which names every field once, with its unit:
//
//   template <class Visitor>
//   void describe(Visitor& field, FbankOptions& o) {
//     field("bins", o.bins, "mel bins");
//   }
//
// and an enum by `enum_names(Enum) -> const std::vector<std::pair<Enum, const char*>>&`. A
// std::optional without a value is written as null; null and a missing key leave a field as it is.
// From it come strict reading (an unknown key is an error that names the nearest known one), the
// resolved configuration that a run folder holds, and the metadata of model files.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/config_tree.h"
#include "base/error.h"
#include "base/text.h"

namespace ernn {

class OptionReader;
class OptionWriter;

namespace options_detail {

template <class T, class = void>
struct HasEnumNames : std::false_type {};
template <class T>
struct HasEnumNames<T, std::void_t<decltype(enum_names(T{}))>> : std::true_type {};

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsStringMap : std::false_type {};
template <class T>
struct IsStringMap<std::map<std::string, T>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

[[noreturn]] inline void wrong(const ConfigNode& node, const std::string& path,
                               const std::string& expected) {
  const char* const found = node.kind() == ConfigNode::Kind::list   ? "a list"
                            : node.kind() == ConfigNode::Kind::map  ? "a map"
                            : node.kind() == ConfigNode::Kind::null ? "nothing"
                                                                    : nullptr;
  throw UsageError(fmt::format("{}: {}: found {}, expected {}", node.place(), path,
                               found != nullptr ? found : "'" + node.text() + "'", expected));
}

template <class T>
void read(const ConfigNode& node, const std::string& path, T& value);
template <class T>
ConfigNode write(const T& value);

}  // namespace options_detail

/// Fills a struct from a map; keys that no field asked for are refused by finish().
class OptionReader {
 public:
  OptionReader(const ConfigNode& node, std::string path) : node_(node), path_(std::move(path)) {
    if (node.kind() != ConfigNode::Kind::map && node.kind() != ConfigNode::Kind::null) {
      options_detail::wrong(node, path_.empty() ? "top level" : path_, "a map of options");
    }
  }

  template <class T>
  void operator()(const char* key, T& value, const char* /*help*/ = "") {
    known_.emplace_back(key);
    const ConfigNode* child = node_.find(key);
    if (child == nullptr || child->kind() == ConfigNode::Kind::null) return;
    options_detail::read(*child, path_.empty() ? key : path_ + "." + key, value);
  }

  void finish() const {
    for (const auto& [key, value] : node_.entries()) {
      bool found = false;
      for (const auto& name : known_) found = found || name == key;
      if (found) continue;
      throw UsageError(fmt::format(
          "{}: unknown key '{}'{}{}", value.place().empty() ? node_.place() : value.place(),
          path_.empty() ? key : path_ + "." + key, did_you_mean(key, known_),
          " (known: " + join(known_, ", ") + ")"));
    }
  }

 private:
  const ConfigNode& node_;
  std::string path_;
  std::vector<std::string> known_;
};

/// Builds the map of a struct, every field written out.
class OptionWriter {
 public:
  template <class T>
  void operator()(const char* key, T& value, const char* /*help*/ = "") {
    node[key] = options_detail::write(value);
  }
  ConfigNode node = ConfigNode::map();
};

namespace options_detail {

template <class T>
void read(const ConfigNode& node, const std::string& path, T& value) {
  const auto need_scalar = [&](const std::string& expected) {
    if (node.kind() != ConfigNode::Kind::scalar) wrong(node, path, expected);
  };
  if constexpr (std::is_same_v<T, bool>) {
    need_scalar("true or false");
    if (node.text() != "true" && node.text() != "false") wrong(node, path, "true or false");
    value = node.text() == "true";
  } else if constexpr (std::is_same_v<T, std::string>) {
    need_scalar("a text");
    value = node.text();
  } else if constexpr (std::is_same_v<T, std::filesystem::path>) {
    need_scalar("a path");
    value = node.text();
  } else if constexpr (HasEnumNames<T>::value) {
    std::vector<std::string> names;
    for (const auto& [item, name] : enum_names(T{})) {
      names.emplace_back(name);
      if (node.kind() == ConfigNode::Kind::scalar && node.text() == name) {
        value = item;
        return;
      }
    }
    wrong(node, path, "one of " + join(names, ", "));
  } else if constexpr (std::is_integral_v<T>) {
    need_scalar("a whole number");
    long long number = 0;
    if (!parse_int(node.text(), number) ||
        static_cast<long long>(static_cast<T>(number)) != number) {
      wrong(node, path, "a whole number");
    }
    value = static_cast<T>(number);
  } else if constexpr (std::is_floating_point_v<T>) {
    need_scalar("a number");
    double number = 0;
    if (!parse_double(node.text(), number)) wrong(node, path, "a number");
    value = static_cast<T>(number);
  } else if constexpr (IsVector<T>::value) {
    if (node.kind() != ConfigNode::Kind::list) wrong(node, path, "a list");
    value.clear();
    for (std::size_t i = 0; i < node.items().size(); ++i) {
      typename T::value_type item{};
      read(node.items()[i], fmt::format("{}.{}", path, i), item);
      value.push_back(std::move(item));
    }
  } else if constexpr (IsStringMap<T>::value) {
    if (node.kind() != ConfigNode::Kind::map) wrong(node, path, "a map");
    value.clear();
    for (const auto& [key, child] : node.entries()) {
      read(child, fmt::format("{}.{}", path, key), value[key]);
    }
  } else if constexpr (IsOptional<T>::value) {
    read(node, path, value.emplace());
  } else {
    OptionReader reader(node, path);
    describe(reader, value);
    reader.finish();
  }
}

template <class T>
ConfigNode write(const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return ConfigNode::scalar(value ? "true" : "false");
  } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::filesystem::path>) {
    ConfigNode node = ConfigNode::scalar(std::string(value));
    node.quoted = true;
    return node;
  } else if constexpr (HasEnumNames<T>::value) {
    for (const auto& [item, name] : enum_names(T{})) {
      if (item == value) return ConfigNode::scalar(name);
    }
    throw std::logic_error("an enum value without a name");
  } else if constexpr (std::is_arithmetic_v<T>) {
    return ConfigNode::scalar(fmt::format("{}", value));
  } else if constexpr (IsVector<T>::value) {
    ConfigNode node = ConfigNode::list();
    for (const auto& item : value) node.items().push_back(write(item));
    return node;
  } else if constexpr (IsStringMap<T>::value) {
    ConfigNode node = ConfigNode::map();
    for (const auto& [key, item] : value) node[key] = write(item);
    return node;
  } else if constexpr (IsOptional<T>::value) {
    return value ? write(*value) : ConfigNode();
  } else {
    OptionWriter writer;
    // describe() takes a mutable reference because one function serves reading and writing.
    describe(writer, const_cast<T&>(value));
    return writer.node;
  }
}

}  // namespace options_detail

/// Reads options over their defaults. `path` is the dotted place of `node` in the configuration,
/// for messages.
template <class T>
T read_options(const ConfigNode& node, const std::string& path = "") {
  T value{};
  options_detail::read(node, path, value);
  return value;
}

template <class T>
ConfigNode write_options(const T& value) {
  return options_detail::write(value);
}

/// The written name of an enum value.
template <class T>
const char* name_of(T value) {
  for (const auto& [item, name] : enum_names(T{})) {
    if (item == value) return name;
  }
  return "?";
}

}  // namespace ernn
