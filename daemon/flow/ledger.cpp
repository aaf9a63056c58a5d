// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/ledger.h"

#include <algorithm>
#include <numeric>

namespace xdpflowd {
namespace {

/// Flows that came into the table and neither ended nor moved on. Unsigned on purpose: it may wrap while
/// counters move.
uint64_t still_in(const xf_zone_stats& stats, xf_table table) {
  const uint64_t ended =
      std::accumulate(std::begin(stats.ended[table]), std::end(stats.ended[table]), uint64_t{0});
  const uint64_t came = table == XF_TABLE_HALF_OPEN ? stats.created - stats.promoted : stats.promoted;
  return came - ended;
}

}  // namespace

int64_t eviction_estimate(const xf_zone_stats& stats, xf_table table, uint64_t counted) {
  return static_cast<int64_t>(still_in(stats, table) - counted);
}

xf_ledger ledger_after(const xf_ledger& before, int64_t estimate) {
  const int64_t proven = std::max<int64_t>(0, std::min<int64_t>(before.estimate, estimate));
  return {.evicted = std::max(before.evicted, static_cast<__u64>(proven)), .estimate = estimate};
}

uint64_t flows_by_the_books(const ZoneSnapshot& zone, xf_table table) {
  const auto flows = static_cast<int64_t>(still_in(zone.stats, table) - zone.tables[table].evicted);
  return static_cast<uint64_t>(std::max<int64_t>(0, flows));
}

uint64_t orphans(const ZoneSnapshot& zone) {
  // Read while it counts, a flow may be seen to stop being an orphan before it is seen to become one.
  const auto waiting = std::max<int64_t>(0, static_cast<int64_t>(zone.stats.orphaned - zone.stats.adopted));
  const auto flows =
      flows_by_the_books(zone, XF_TABLE_HALF_OPEN) + flows_by_the_books(zone, XF_TABLE_ESTABLISHED);
  return std::min(static_cast<uint64_t>(waiting), flows);
}

}  // namespace xdpflowd
