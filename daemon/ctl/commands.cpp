// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/commands.h"

#include <cerrno>
#include <vector>

#include "base/clock.h"
#include "ctl/features.h"
#include "ctl/flow_json.h"
#include "ctl/flow_order.h"
#include "ctl/flow_table_text.h"
#include "ctl/status.h"
#include "ctl/target_commands.h"
#include "dataplane/admin_client.h"
#include "dataplane/flow_reader.h"
#include "dataplane/former_program.h"
#include "dataplane/kernel.h"
#include "dataplane/pinned_state.h"
#include "dataplane/snapshot_reader.h"
#include "dataplane/state_lock.h"
#include "dataplane/unload.h"
#include "service/ethtool.h"
#include "service/links.h"
#include "service/xdp_features.h"

namespace xdpflowd {

namespace {

Result<DecodeContext> decode_context(const PinnedState& state) {
  DecodeContext context;
  context.now_ns = monotonic_ns();
  context.coarse_tick_ns = coarse_tick_ns();
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

Status show_flows(const PinnedState& state, const Arguments& arguments, std::ostream& out, size_t width) {
  if (arguments.count) return count_flows(state, arguments, out);
  const auto context = decode_context(state);
  if (!context) return context.error();
  std::vector<Flow> flows;
  auto read = for_each_match(state, arguments.filter, *context,
                             [&](xf_table, const xf_flow_key&, const Flow& flow) { flows.push_back(flow); });
  if (!read) return read;
  sort_flows(flows, arguments.sort, arguments.limit);
  if (arguments.json)
    write_flow_array(out, flows);
  else
    write_flow_table(out, flows, width);
  return ok();
}

Status flush(const PinnedState& state, const Arguments& arguments, std::ostream& out) {
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

Result<std::optional<UpgradeState>> upgrade_state(const PinnedState& state) {
  const auto former = former_program(state);
  if (!former) return former.error();
  if (!*former) return std::optional<UpgradeState>();
  const auto flows = flows_of_other_generations(state);
  if (!flows) return flows.error();
  return std::optional(UpgradeState{(*former)->generation, (*former)->id, *flows});
}

Status show_status(const PinnedState& state, const Arguments& arguments, std::ostream& out, size_t width) {
  TableCounter counter(TableCounter::Walk::never);
  auto snapshot = read_snapshot(state, counter);
  if (!snapshot) return snapshot.error();
  StatusReport report{std::move(*snapshot), {}, XDPFLOWD_VERSION, kernel_release(), monotonic_ns()};
  report.daemon.running = daemon_running(arguments.state_dir);
  if (report.daemon.running) report.daemon.pid = report.snapshot.control.pid;
  auto upgrade = upgrade_state(state);
  if (!upgrade) return upgrade.error();
  report.upgrade = *upgrade;
  if (arguments.json)
    out << status_json(report);
  else
    write_status_text(out, report, width);
  return ok();
}

InterfaceFeatures features_of(const Link& link, const Result<std::map<uint32_t, XdpFeatures>>& xdp) {
  InterfaceFeatures features;
  features.name = link.name;
  features.kind = link.kind;
  features.driver = driver_of(link.name);
  features.mtu = link.mtu;
  features.rx_vlan_offload = rx_vlan_offload(link.name);
  if (!xdp || !xdp->contains(link.ifindex)) return features;
  features.native_xdp = xdp->at(link.ifindex).native;
  features.multi_buffer = xdp->at(link.ifindex).multi_buffer;
  return features;
}

Status show_features(const Arguments& arguments, std::ostream& out, size_t width) {
  const auto links = read_links();
  if (!links) return links.error();
  FeatureReport report{XDPFLOWD_VERSION, kernel_release(), kernel_features(), {}};
  const auto xdp = read_xdp_features();
  for (const auto& link : links->links) report.interfaces.push_back(features_of(link, xdp));
  if (arguments.json)
    out << features_json(report);
  else
    write_features_text(out, report, width);
  return ok();
}

constexpr int swap_attempts = 10;

Status execute_on_state(const Arguments& arguments, std::ostream& out, size_t width) {
  const auto state = PinnedState::open(arguments.state_dir);
  if (!state) return state.error();
  switch (arguments.command) {
    case Command::flows:
      return show_flows(*state, arguments, out, width);
    case Command::flush:
      return flush(*state, arguments, out);
    case Command::targets:
      return show_targets(*state, arguments, out, width);
    case Command::set_target:
      return set_target(*state, arguments, out);
    default:
      return show_status(*state, arguments, out, width);
  }
}

}  // namespace

Status execute(const Arguments& arguments, std::ostream& out, size_t width) {
  if (arguments.command == Command::unload) return unload(arguments.state_dir, arguments.force);
  if (arguments.command == Command::features) return show_features(arguments, out, width);
  if (arguments.command == Command::targets && arguments.watch) return watch_targets(arguments, out);
  // Nothing was printed, and nothing flushed, when a table turns out to have been replaced.
  auto done = execute_on_state(arguments, out, width);
  for (int attempt = 1; !done && done.error().code == ESTALE && attempt < swap_attempts; ++attempt)
    done = execute_on_state(arguments, out, width);
  return done;
}

}  // namespace xdpflowd
