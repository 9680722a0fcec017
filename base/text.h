// Small text helpers shared by readers and error messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ernn {

std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
/// Removes white space at both ends.
std::string_view trim(std::string_view text);
/// Splits on runs of white space; no empty parts.
std::vector<std::string> split_words(std::string_view text);
/// Splits at each `separator`; empty parts are kept.
std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);

/// Whole-text conversions; false when `text` is not exactly one number of that kind. Neither nan
/// nor inf is a number here.
bool parse_int(std::string_view text, long long& value);
bool parse_double(std::string_view text, double& value);

/// The known name with the smallest edit distance to `name`, or "" when none is close: more than
/// two letters and a third of them differ, or all.
std::string nearest_name(const std::string& name, const std::vector<std::string>& known);

/// `; did you mean 'x'?` or an empty text, for the end of an error message.
std::string did_you_mean(const std::string& name, const std::vector<std::string>& known);

}  // namespace ernn
