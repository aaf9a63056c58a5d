// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/table_counter.h"

#include <bpf/bpf.h>

#include "dataplane/flow_reader.h"

namespace xdpflowd {

namespace {

constexpr uint64_t kBetweenWalksNs = 60ULL * 1'000'000'000;

// The smallest frame that a test run takes is an Ethernet header.
static_assert(sizeof(xf_census) >= 14);

/// nullopt: this kernel cannot tell.
Result<std::optional<TableCount>> ask_kernel(int census_program, uint32_t index) {
  if (census_program < 0) return std::optional<TableCount>();
  xf_census census{.index = index, .supported = 0, .count = 0, .former = 0};
  bpf_test_run_opts run{};
  run.sz = sizeof run;
  run.data_in = run.data_out = &census;
  run.data_size_in = run.data_size_out = sizeof census;
  run.repeat = 1;
  if (const int failed = bpf_prog_test_run_opts(census_program, &run); failed != 0)
    return system_error(failed, "cannot run the census program");
  if (!census.supported) return std::optional<TableCount>();
  return std::optional(TableCount{.elements = census.count, .former = census.former});
}

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
  auto told = ask_kernel(state.census_program(), zone.index * XF_TABLES + table);
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
