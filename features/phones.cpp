#include "features/phones.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/error.h"

namespace ernn {

namespace {

constexpr std::size_t kPhones = 61;
constexpr std::size_t kInventories = 3;

/// A TIMIT label and its class in the sets of 48 and 39; empty where the folding deletes it.
using Row = std::array<const char*, kInventories>;

// Lee & Hon, "Speaker-independent phone recognition using hidden Markov models", 1989, table I, in
// the spelling of Kaldi's TIMIT recipe. Rows stand in ASCII order of the label.
constexpr std::array<Row, kPhones> kTable = {{
    {"aa", "aa", "aa"},    {"ae", "ae", "ae"},    {"ah", "ah", "ah"},    {"ao", "ao", "aa"},
    {"aw", "aw", "aw"},    {"ax", "ax", "ah"},    {"ax-h", "ax", "ah"},  {"axr", "er", "er"},
    {"ay", "ay", "ay"},    {"b", "b", "b"},       {"bcl", "vcl", "sil"}, {"ch", "ch", "ch"},
    {"d", "d", "d"},       {"dcl", "vcl", "sil"}, {"dh", "dh", "dh"},    {"dx", "dx", "dx"},
    {"eh", "eh", "eh"},    {"el", "el", "l"},     {"em", "m", "m"},      {"en", "en", "n"},
    {"eng", "ng", "ng"},   {"epi", "epi", "sil"}, {"er", "er", "er"},    {"ey", "ey", "ey"},
    {"f", "f", "f"},       {"g", "g", "g"},       {"gcl", "vcl", "sil"}, {"h#", "sil", "sil"},
    {"hh", "hh", "hh"},    {"hv", "hh", "hh"},    {"ih", "ih", "ih"},    {"ix", "ix", "ih"},
    {"iy", "iy", "iy"},    {"jh", "jh", "jh"},    {"k", "k", "k"},       {"kcl", "cl", "sil"},
    {"l", "l", "l"},       {"m", "m", "m"},       {"n", "n", "n"},       {"ng", "ng", "ng"},
    {"nx", "n", "n"},      {"ow", "ow", "ow"},    {"oy", "oy", "oy"},    {"p", "p", "p"},
    {"pau", "sil", "sil"}, {"pcl", "cl", "sil"},  {"q", "", ""},         {"r", "r", "r"},
    {"s", "s", "s"},       {"sh", "sh", "sh"},    {"t", "t", "t"},       {"tcl", "cl", "sil"},
    {"th", "th", "th"},    {"uh", "uh", "uh"},    {"uw", "uw", "uw"},    {"ux", "uw", "uw"},
    {"v", "v", "v"},       {"w", "w", "w"},       {"y", "y", "y"},       {"z", "z", "z"},
    {"zh", "zh", "sh"},
}};

std::size_t column(PhoneInventory inventory) {
  return static_cast<std::size_t>(inventory);
}

std::vector<std::string> collect(std::size_t column) {
  std::vector<std::string> symbols;
  for (const Row& row : kTable) {
    if (row[column][0] != '\0') symbols.emplace_back(row[column]);
  }
  std::sort(symbols.begin(), symbols.end());
  symbols.erase(std::unique(symbols.begin(), symbols.end()), symbols.end());
  return symbols;
}

}  // namespace

const std::vector<std::pair<PhoneInventory, const char*>>& enum_names(PhoneInventory /*tag*/) {
  static const std::vector<std::pair<PhoneInventory, const char*>> names = {
      {PhoneInventory::timit61, "timit61"},
      {PhoneInventory::timit48, "timit48"},
      {PhoneInventory::timit39, "timit39"}};
  return names;
}

const std::vector<std::string>& phone_symbols(PhoneInventory inventory) {
  static const std::array<std::vector<std::string>, kInventories> symbols = {collect(0), collect(1),
                                                                             collect(2)};
  return symbols[column(inventory)];
}

int phone_index(PhoneInventory inventory, std::string_view symbol) {
  const auto& symbols = phone_symbols(inventory);
  const auto place = std::lower_bound(symbols.begin(), symbols.end(), symbol);
  if (place == symbols.end() || *place != symbol) return -1;
  return static_cast<int>(place - symbols.begin());
}

int fold_phone(PhoneInventory from, int phone, PhoneInventory to) {
  if (column(to) < column(from)) {
    throw UsageError("phones cannot be folded to a larger set (timit39 -> timit48 -> timit61)");
  }
  const auto& symbols = phone_symbols(from);
  if (phone < 0 || phone >= static_cast<int>(symbols.size())) return -1;
  const auto& symbol = symbols[static_cast<std::size_t>(phone)];
  for (const Row& row : kTable) {
    if (symbol == row[column(from)]) return phone_index(to, row[column(to)]);
  }
  return -1;
}

}  // namespace ernn
