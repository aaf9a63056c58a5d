// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/flow_commands.h"

#include <array>
#include <cerrno>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "ctl/flow_json.h"
#include "ctl/flow_order.h"
#include "ctl/flow_table_text.h"
#include "dataplane/admin_client.h"
#include "dataplane/flow_reader.h"
#include "dataplane/kernel.h"
#include "dataplane/table_counter.h"

namespace xdpflowd {
namespace {

Result<DecodeContext> decode_context(const PinnedState& state) {
  DecodeContext context;
  context.now_ns = monotonic_ns();
  context.coarse_lag_ns = coarse_lag_ns();
  for (const auto& zone : state.zones()) context.zone_names[zone.index] = zone.zone.name;
  for (uint32_t slot = 0; slot < XF_TIMEOUT_SLOTS; slot++) {
    const auto timeout = state.timeouts().get(slot);
    if (!timeout) return timeout.error();
    context.timeouts_ns[slot] = *timeout;
  }
  return context;
}

using MatchVisitor = std::function<void(xf_table, const xf_flow_key&, const Flow&)>;

/// Those that the filter wants.
Result<std::vector<const PinnedZone*>> zones_of(const PinnedState& state, const FlowFilter& filter) {
  std::vector<std::string_view> names;
  for (const auto& zone : state.zones()) names.emplace_back(zone.zone.name);
  if (auto known = filter.check_zone(names); !known) return known.error();
  std::vector<const PinnedZone*> wanted;
  for (const auto& zone : state.zones())
    if (!filter.zone || *filter.zone == zone.zone.name) wanted.push_back(&zone);
  return wanted;
}

/// Every live flow that the filter wants, once.
Status for_each_match(const PinnedState& state, const FlowFilter& filter, const DecodeContext& context,
                      const MatchVisitor& visit) {
  const auto zones = zones_of(state, filter);
  if (!zones) return zones.error();
  for (const PinnedZone* zone : *zones) {
    const auto look = [&](xf_table table, const xf_flow_key& key, const xf_flow& raw) {
      const Flow flow = decode(key, raw, context);
      if (filter.matches(flow)) visit(table, key, flow);
    };
    if (auto read = read_flows(state, zone->index, look); !read) return read;
  }
  return ok();
}

/// nullopt: the kernel cannot tell, or not what the filter wants. A flow that ended a moment ago and waits
/// for the reaper is counted too.
Result<std::optional<uint64_t>> count_of_kernel(const PinnedState& state, const FlowFilter& filter) {
  if (!filter.matches_whole_tables()) return std::optional<uint64_t>();
  const auto zones = zones_of(state, filter);
  if (!zones) return zones.error();
  TableCounter counter(TableCounter::Walk::never);
  uint64_t sum = 0;
  for (const PinnedZone* zone : *zones)
    for (const auto table : {XF_TABLE_HALF_OPEN, XF_TABLE_ESTABLISHED}) {
      if (filter.table && *filter.table != table) continue;
      const auto count = counter.count(state, *zone, table, monotonic_ns());
      if (!count) return count.error();
      if (!*count) return std::optional<uint64_t>();
      sum += (*count)->elements;
    }
  return std::optional(sum);
}

Status count_flows(const PinnedState& state, const Arguments& arguments, std::ostream& out) {
  auto count = count_of_kernel(state, arguments.filter);
  if (!count) return count.error();
  if (!*count) {
    const auto context = decode_context(state);
    if (!context) return context.error();
    *count = 0;
    auto read = for_each_match(state, arguments.filter, *context,
                               [&](xf_table, const xf_flow_key&, const Flow&) { ++**count; });
    if (!read) return read;
  }
  out << number_answer("flows", **count, arguments.json);
  return ok();
}

/// In the order in which they are read, while they are.
Status dump_flows(const PinnedState& state, const Arguments& arguments, const DecodeContext& context,
                  std::ostream& out) {
  FlowArray array(out);
  auto read = for_each_match(state, arguments.filter, context,
                             [&](xf_table, const xf_flow_key&, const Flow& flow) { array.add(flow); });
  if (!read && read.error().code == ESTALE && array.begun())
    return fail(read.error().message + ": what was printed is not all; try again");
  if (!read) return read;
  array.close();
  return ok();
}

Result<std::vector<Flow>> sorted_flows(const PinnedState& state, const Arguments& arguments,
                                       const DecodeContext& context) {
  constexpr size_t spare = 4096;  // beyond the limit: of those, most are not among the first
  const SortBy by = arguments.sort.value_or(SortBy::name);
  std::vector<Flow> flows;
  auto read =
      for_each_match(state, arguments.filter, context, [&](xf_table, const xf_flow_key&, const Flow& flow) {
        flows.push_back(flow);
        if (arguments.limit && flows.size() >= spare && flows.size() - spare >= *arguments.limit)
          sort_flows(flows, by, arguments.limit);
      });
  if (!read) return read.error();
  sort_flows(flows, by, arguments.limit);
  return flows;
}

}  // namespace

Status show_flows(const PinnedState& state, const Arguments& arguments, std::ostream& out, size_t width) {
  if (arguments.count) return count_flows(state, arguments, out);
  const auto context = decode_context(state);
  if (!context) return context.error();
  if (arguments.json && !arguments.sort && !arguments.limit)
    return dump_flows(state, arguments, *context, out);
  const auto flows = sorted_flows(state, arguments, *context);
  if (!flows) return flows.error();
  if (arguments.json)
    write_flow_array(out, *flows);
  else
    write_flow_table(out, *flows, width);
  return ok();
}

Status flush_flows(const PinnedState& state, const Arguments& arguments, std::ostream& out) {
  const auto context = decode_context(state);
  if (!context) return context.error();
  std::array<std::vector<xf_flow_key>, XF_TABLES> keys;
  auto read = for_each_match(
      state, arguments.filter, *context,
      [&](xf_table table, const xf_flow_key& key, const Flow&) { keys[table].push_back(key); });
  if (!read) return read;
  const AdminClient admin(state);
  uint64_t flushed = 0;
  for (const auto table : {XF_TABLE_HALF_OPEN, XF_TABLE_ESTABLISHED}) {
    const auto ended = admin.flush(table, keys[table]);
    if (!ended) return ended.error();
    flushed += *ended;
  }
  out << number_answer("flushed", flushed, arguments.json);
  return ok();
}

}  // namespace xdpflowd
