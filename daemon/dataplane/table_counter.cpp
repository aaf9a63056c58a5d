// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/table_counter.h"

#include "dataplane/flow_reader.h"

namespace xdpflowd {

namespace {

constexpr uint64_t kBetweenWalksNs = 60ULL * 1'000'000'000;

Status walk(const FlowTable& table, uint64_t& elements) {
  return for_each_flow(table, [&](const xf_flow_key&, const xf_flow&) { ++elements; });
}

Result<TableCount> walk(const PinnedZone& zone, xf_table table) {
  TableCount count;
  if (zone.former[table])
    if (auto walked = walk(*zone.former[table], count.former); !walked) return walked.error();
  if (auto walked = walk(zone.tables[table], count.elements); !walked) return walked.error();
  count.elements += count.former;
  return count;
}

}  // namespace

Result<std::optional<TableCount>> TableCounter::count(const PinnedState& state, const PinnedZone& zone,
                                                      xf_table table, uint64_t now_ns) {
  auto told = CensusClient(state.census_program()).count(zone.index * XF_TABLES + table);
  if (!told) return told.error();
  if (*told) return told;
  if (walk_ == Walk::never) return std::optional<TableCount>();

  std::optional<Walked>& last = walked_[zone.index][table];
  if (last && now_ns - last->at_ns < kBetweenWalksNs) return std::optional(last->count);
  auto walked = walk(zone, table);
  if (!walked) return walked.error();
  last = Walked{.count = *walked, .at_ns = now_ns};
  last->count.fresh = false;
  return std::optional(*walked);
}

}  // namespace xdpflowd
