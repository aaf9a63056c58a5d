// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <ostream>
#include <span>

#include "flow/decode.h"

namespace xdpflowd {

/// A header, then the flows in the given order. `width` of the terminal; 0: one line per flow, however long.
/// Stops when `out` fails.
void write_flow_table(std::ostream& out, std::span<const Flow> flows, size_t width);

}  // namespace xdpflowd
