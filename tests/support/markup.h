// Checks of generated markup.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/text.h"

namespace ernn {

inline int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

/// A table in Markdown without the padding of its columns.
inline std::string unpadded(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c != ' ' || result.empty() || result.back() != ' ') result += c;
  }
  return result;
}

/// Values of every attribute of that name, in order.
inline std::vector<std::string> attributes_of(const std::string& text, const std::string& name) {
  std::vector<std::string> values;
  const std::string start = " " + name + "=\"";
  for (auto at = text.find(start); at != std::string::npos; at = text.find(start, at + 1)) {
    const auto from = at + start.size();
    values.push_back(text.substr(from, text.find('"', from) - from));
  }
  return values;
}

inline std::vector<double> numbers_of(const std::string& text, const std::string& name) {
  std::vector<double> numbers;
  for (const auto& value : attributes_of(text, name)) {
    numbers.push_back(0);
    EXPECT_TRUE(parse_double(value, numbers.back())) << name << "=" << value;
  }
  return numbers;
}

/// Every element is closed, in order; no bare < or &; attributes in double quotes.
inline void expect_well_formed(const std::string& text) {
  std::vector<std::string> open;
  std::size_t at = 0;
  while (at < text.size()) {
    if (text[at] == '&') {
      const auto end = text.find(';', at);
      ASSERT_TRUE(end != std::string::npos && end - at < 9) << text.substr(at, 40);
    }
    if (text[at] != '<') {
      ++at;
      continue;
    }
    const auto end = text.find('>', at);
    ASSERT_NE(end, std::string::npos) << text.substr(at, 40);
    const std::string tag = text.substr(at + 1, end - at - 1);
    at = end + 1;
    ASSERT_EQ(tag.find('<'), std::string::npos) << tag;
    ASSERT_EQ(count(tag, "\"") % 2, 0) << tag;
    if (tag.rfind("!DOCTYPE", 0) == 0) continue;
    if (tag[0] == '/') {
      ASSERT_FALSE(open.empty()) << tag;
      ASSERT_EQ(open.back(), tag.substr(1));
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(tag.substr(0, tag.find_first_of(" \n")));
    }
  }
  ASSERT_TRUE(open.empty()) << open.back();
}

/// No coordinate that is not a number, or far outside any drawing.
inline void expect_finite(const std::string& text) {
  for (const char* name :
       {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height", "fill-opacity"}) {
    for (const double value : numbers_of(text, name)) {
      EXPECT_GE(value, -5000) << name;
      EXPECT_LE(value, 5000) << name;
    }
  }
  for (const char* name : {"d", "transform", "viewBox"}) {
    for (const auto& value : attributes_of(text, name)) {
      EXPECT_EQ(value.find("nan"), std::string::npos) << value;
      EXPECT_EQ(value.find("inf"), std::string::npos) << value;
    }
  }
}

}  // namespace ernn
