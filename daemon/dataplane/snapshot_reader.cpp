// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/snapshot_reader.h"

#include <algorithm>

#include "base/clock.h"
#include "dataplane/target_reader.h"
#include "flow/ledger.h"

namespace xdpflowd {

namespace {

constexpr xf_table kTables[] = {XF_TABLE_HALF_OPEN, XF_TABLE_ESTABLISHED};

/// What came into `table` as of before the count, what left it as of after: whatever moved in between makes
/// the estimate of evictions too low, never too high.
xf_zone_stats around_the_count(const xf_zone_stats& before, const xf_zone_stats& after, xf_table table) {
  xf_zone_stats stats = after;
  if (table == XF_TABLE_HALF_OPEN)
    stats.created = before.created;
  else
    stats.promoted = before.promoted;
  return stats;
}

Result<ZoneSnapshot> read_zone(const PinnedState& state, const PinnedZone& pinned, TableCounter& counter) {
  ZoneSnapshot zone;
  zone.index = pinned.index;
  zone.name = pinned.zone.name;
  zone.promote_packets = pinned.zone.promote_packets;
  const auto before = state.zone_stats().sum(pinned.index);
  if (!before) return before.error();
  std::array<std::optional<TableCount>, XF_TABLES> counts;
  for (const xf_table table : kTables) {
    auto count = counter.count(state, pinned, table, monotonic_ns());
    if (!count) return count.error();
    counts[table] = *count;
  }
  const auto after = state.zone_stats().sum(pinned.index);
  if (!after) return after.error();
  zone.stats = *after;
  for (const xf_table table : kTables) {
    auto ledger = state.ledger().get(pinned.index * XF_TABLES + table);
    if (!ledger) return ledger.error();
    TableSnapshot& read = zone.tables[table];
    read.capacity = pinned.tables[table].max_entries();
    read.evicted = ledger->evicted;
    if (!counts[table]) continue;
    read.counted = counts[table]->elements;
    read.former = counts[table]->former;
    if (counts[table]->fresh)
      read.eviction_estimate =
          eviction_estimate(around_the_count(*before, *after, table), table, *read.counted);
  }
  return zone;
}

Status read_zones(const PinnedState& state, TableCounter& counter, Snapshot& snapshot) {
  for (const PinnedZone& pinned : state.zones()) {
    auto zone = read_zone(state, pinned, counter);
    if (!zone) return zone.error();
    snapshot.zones.push_back(std::move(*zone));
  }
  return ok();
}

Status read_interfaces(const PinnedState& state, Snapshot& snapshot) {
  auto interfaces = state.read_interfaces();
  if (!interfaces) return interfaces.error();
  for (const auto& [index, pinned] : *interfaces) {
    auto stats = state.interface_stats().sum(index);
    if (!stats) return stats.error();
    const PinnedZone* zone = state.find_zone(pinned.zone);
    snapshot.interfaces.push_back({.name = pinned.name,
                                   .ifindex = pinned.ifindex,
                                   .mode = static_cast<xf_mode>(pinned.mode),
                                   .dispatcher = pinned.dispatcher != 0,
                                   .zone = zone ? zone->zone.name : "",
                                   .stats = *stats});
  }
  return ok();
}

Status read_totals(const PinnedState& state, Snapshot& snapshot) {
  auto control = state.control().get(0);
  if (!control) return control.error();
  snapshot.control = *control;
  auto global = state.global_stats().sum(0);
  if (!global) return global.error();
  snapshot.global = *global;
  for (uint32_t i = 0; i < XF_HISTOGRAMS; ++i) {
    auto histogram = state.histograms().sum(i);
    if (!histogram) return histogram.error();
    snapshot.histograms[i] = *histogram;
  }
  return ok();
}

}  // namespace

Result<Snapshot> read_counters(const PinnedState& state, TableCounter& counter) {
  Snapshot snapshot;
  if (auto read = read_totals(state, snapshot); !read) return read.error();
  if (auto read = read_zones(state, counter, snapshot); !read) return read.error();
  if (auto read = read_interfaces(state, snapshot); !read) return read.error();
  return snapshot;
}

Result<Snapshot> read_snapshot(const PinnedState& state, TableCounter& counter) {
  auto snapshot = read_counters(state, counter);
  if (!snapshot) return snapshot;
  auto targets = read_targets(state);
  if (!targets) return targets.error();
  snapshot->targets = std::move(*targets);
  return snapshot;
}

}  // namespace xdpflowd
