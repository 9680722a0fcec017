// The TIMIT phone sets: 61 labels, folded to 48 and to 39 classes (Lee & Hon 1989).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ernn {

enum class PhoneInventory { timit61, timit48, timit39 };
const std::vector<std::pair<PhoneInventory, const char*>>& enum_names(PhoneInventory);

/// The symbols of a set in their fixed order, which is the order of network outputs: ASCII order
/// ("h#" before "hh", "ax-h" before "axr"). timit61 includes "q".
const std::vector<std::string>& phone_symbols(PhoneInventory inventory);

/// Index of `symbol` in `phone_symbols(inventory)`, -1 when it is not there.
int phone_index(PhoneInventory inventory, std::string_view symbol);

/// Folds a class of `from` to a class of the smaller (or same) set `to`; -1 where the folding
/// deletes it ("q" has no class in timit48 and timit39) or `phone` is no class of `from`. Throws
/// UsageError when `to` is larger than `from`.
int fold_phone(PhoneInventory from, int phone, PhoneInventory to);

}  // namespace ernn
