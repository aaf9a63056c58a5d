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
Result<std::optional<uint64_t>> ask_kernel(int census_program, uint32_t index) {
  if (census_program < 0) return std::optional<uint64_t>();
  xf_census census{.index = index, .supported = 0, .count = 0};
  bpf_test_run_opts run{};
  run.sz = sizeof run;
  run.data_in = run.data_out = &census;
  run.data_size_in = run.data_size_out = sizeof census;
  run.repeat = 1;
  if (const int failed = bpf_prog_test_run_opts(census_program, &run); failed != 0)
    return system_error(failed, "cannot run the census program");
  if (!census.supported) return std::optional<uint64_t>();
  return std::optional<uint64_t>(census.count);
}

Result<uint64_t> walk(const FlowTable& table) {
  uint64_t elements = 0;
  auto walked = for_each_flow(table, [&](const xf_flow_key&, const xf_flow&) { ++elements; });
  if (!walked) return walked.error();
  return elements;
}

}  // namespace

Result<std::optional<TableCount>> TableCounter::count(const PinnedState& state, const PinnedZone& zone,
                                                      xf_table table, uint64_t now_ns) {
  auto told = ask_kernel(state.census_program(), zone.index * XF_TABLES + table);
  if (!told) return told.error();
  if (*told) return std::optional(TableCount{.elements = **told});
  if (walk_ == Walk::never) return std::optional<TableCount>();

  std::optional<Walked>& last = walked_[zone.index][table];
  if (last && now_ns - last->at_ns < kBetweenWalksNs)
    return std::optional(TableCount{.elements = last->elements, .fresh = false});
  auto walked = walk(zone.tables[table]);
  if (!walked) return walked.error();
  last = Walked{.elements = *walked, .at_ns = now_ns};
  return std::optional(TableCount{.elements = *walked});
}

}  // namespace xdpflowd
