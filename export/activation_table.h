// sigmoid and tanh as straight pieces (docs/arithmetic.md, "Activation tables").
#pragma once

#include <cstdint>

#include "export/quantised_network.h"

namespace ernn {

/// The table's result for the `preactivation` code `v`, a code in the gate format.
std::int64_t table_lookup(const ActivationTable& table, std::int64_t v, const Format& preactivation,
                          const Format& gate);

/// The range below which a table interpolates, R, before any raising: 3 for sigmoid, 2 for tanh.
int default_table_range(Activation kind);

/// Largest |table - function| over every preactivation code, in units of the gate format's last
/// bit, where the function is limited to the gate format's largest code.
double table_error(const ActivationTable& table, const Format& preactivation, const Format& gate);

/// Builds a table. `segments` is a power of two, or 0 for the fewest that keep table_error() at
/// 1 or below; the range is raised from its default until what lies beyond it is as close. Throws
/// UsageError when `segments` are more than the preactivation format distinguishes, or when that
/// format has too few fraction bits for any table.
ActivationTable make_table(Activation kind, const Format& preactivation, const Format& gate,
                           int segments);

}  // namespace ernn
