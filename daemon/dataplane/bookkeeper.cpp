// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/bookkeeper.h"

#include "dataplane/snapshot_reader.h"
#include "flow/ledger.h"

namespace xdpflowd {

Status Bookkeeper::enter(ZoneSnapshot& zone, xf_table table) const {
  auto& books = zone.tables[table];
  if (!books.eviction_estimate) return ok();
  const uint32_t index = zone.index * XF_TABLES + table;
  const auto before = state_.ledger().get(index);
  if (!before) return before.error();
  const xf_ledger after = ledger_after(*before, *books.eviction_estimate);
  books.evicted = after.evicted;
  if (after.evicted == before->evicted && after.estimate == before->estimate) return ok();
  return state_.ledger().set(index, after);
}

bool Bookkeeper::is_behind(const Snapshot& snapshot) {
  for (const auto& zone : snapshot.zones)
    for (const auto& table : zone.tables)
      if (table.eviction_estimate.value_or(0) > static_cast<int64_t>(table.evicted)) return true;
  return false;
}

Result<Snapshot> Bookkeeper::balance() {
  auto snapshot = look();
  return snapshot && is_behind(*snapshot) ? look() : snapshot;
}

Result<Snapshot> Bookkeeper::look() {
  auto snapshot = read_counters(state_, counter_);
  if (!snapshot) return snapshot;
  for (auto& zone : snapshot->zones)
    for (const auto table : {XF_TABLE_HALF_OPEN, XF_TABLE_ESTABLISHED})
      if (auto entered = enter(zone, table); !entered) return in_context(entered.error(), "ledger");
  return snapshot;
}

}  // namespace xdpflowd
