// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/commands.h"

#include <cerrno>
#include <filesystem>
#include <vector>

#include "base/clock.h"
#include "ctl/features.h"
#include "ctl/flow_commands.h"
#include "ctl/status.h"
#include "ctl/target_commands.h"
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
      return flush_flows(*state, arguments, out);
    case Command::targets:
      return show_targets(*state, arguments, out, width);
    case Command::set_target:
      return set_target(*state, arguments, out);
    default:
      return show_status(*state, arguments, out, width);
  }
}

/// Nothing to remove is no error, but may be a mistake in the name.
Status unload_state(const Arguments& arguments, std::ostream& out) {
  std::error_code unknown;
  const auto there = std::filesystem::symlink_status(arguments.state_dir, unknown);
  if (there.type() == std::filesystem::file_type::not_found)
    out << "nothing is loaded under " << arguments.state_dir << '\n';
  return unload(arguments.state_dir, arguments.force);
}

}  // namespace

Status execute(const Arguments& arguments, std::ostream& out, size_t width) {
  if (arguments.command == Command::unload) return unload_state(arguments, out);
  if (arguments.command == Command::features) return show_features(arguments, out, width);
  if (arguments.command == Command::targets && arguments.watch) return watch_targets(arguments, out);
  // Nothing was printed, and nothing flushed, when a table turns out to have been replaced.
  auto done = execute_on_state(arguments, out, width);
  for (int attempt = 1; !done && done.error().code == ESTALE && attempt < swap_attempts; ++attempt)
    done = execute_on_state(arguments, out, width);
  return done;
}

}  // namespace xdpflowd
