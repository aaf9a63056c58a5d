// SPDX-License-Identifier: GPL-2.0-or-later
// Flows without a timer of their own.
#pragma once

#include <algorithm>

#include "flood.h"
#include "support/tracker.h"

namespace xdpflowd::test {

/// New ones, numbered from `first` on; how many were made by then.
inline uint32_t make_flows(const Tracker& tracker, uint32_t count, uint32_t first = 0) {
  Template flows(udp(), Template::Side::source);
  for (uint32_t i = 0; i < count; i++) tracker.run(flows.numbered(first + i));
  return first + count;
}

/// Items in the queue that the reaper sweeps.
inline int64_t orphans(const Tracker& tracker) {
  const auto stats = tracker.zone_stats();
  return static_cast<int64_t>(stats.orphaned - stats.adopted);
}

inline size_t with_flag(const std::vector<Entry>& entries, xf_flow_flag flag) {
  return static_cast<size_t>(
      std::count_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.has(flag); }));
}

inline TrackerOptions with(const Timeouts& timeouts) {
  TrackerOptions options;
  options.timeouts = timeouts;
  return options;
}

}  // namespace xdpflowd::test
