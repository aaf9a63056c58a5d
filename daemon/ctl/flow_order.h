// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "flow/decode.h"

namespace xdpflowd {

enum class SortBy {
  name,  // zone, protocol, source, source port, destination, destination port
  bytes,
  packets,
  age,
  idle,
};

/// Sorts by `by`, the largest first; equals by name, so that the order does not change from one call to the
/// next. Keeps the first `limit`.
void sort_flows(std::vector<Flow>& flows, SortBy by, std::optional<uint64_t> limit);

}  // namespace xdpflowd
