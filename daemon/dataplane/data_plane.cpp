// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/data_plane.h"

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <system_error>

#include "base/clock.h"
#include "base/log.h"
#include "dataplane/flow_tables.h"
#include "dataplane/former_layout.h"
#include "dataplane/former_records.h"
#include "dataplane/pin_paths.h"
#include "dataplane/starter.h"
#include "dataplane/takeover.h"
#include "dataplane/xdp_state.h"

namespace xdpflowd {

Result<DataPlane> DataPlane::start(const Settings& settings, const std::vector<InterfaceSettings>& devices,
                                   const std::string& version) {
  return Starter(settings, devices, version).run();
}

Status DataPlane::add_zone(const ZoneSettings& zone) {
  const ZoneMaps maps{.zones = state_.zone_table().fd(),
                      .tables = state_.tables().fd(),
                      .former_tables = state_.former_tables().fd()};
  if (auto made = make_zones(maps, flow_types_, state_.state_dir(), {zone}); !made) return made.error();
  return state_.reopen_zones();
}

Status DataPlane::forget_former_layout() const {
  if (auto records = FormerRecords::open(state_.state_dir()))
    if (const auto lost = records->drain(SIZE_MAX, [](const xf_record&) {}); lost > 0)
      log::warn("carry-over: {} records of flows that have ended are dropped: no records file is configured",
                lost);
  return drop_aside(state_.state_dir());
}

bool DataPlane::is_pinned() const {
  std::error_code ignored;
  return std::filesystem::exists(map_pin(state_.state_dir(), "control"), ignored);
}

Result<bool> DataPlane::detach_all() const {
  const auto ownership = Ownership::of_control(state_.control().fd());
  const auto known = state_.read_interfaces();
  if (!known) return known.error();
  bool any = false;
  for (const auto& each : *known) {
    if (each.interface.ifindex == 0) continue;
    const auto running = xdp_state(each.interface.ifindex, ownership);
    if (!running || std::ranges::none_of(running->programs, &XdpProgram::ours)) continue;
    any = true;
    if (auto detached = detach_others_of_ours(each.interface.ifindex, ownership, 0); !detached)
      return detached.error();
  }
  return any;
}

Status DataPlane::heartbeat() const {
  auto control = state_.control().get(0);
  if (!control) return control.error();
  control->heartbeat_ns = monotonic_ns();
  control->pid = static_cast<uint32_t>(getpid());
  return state_.control().set(0, *control);
}

}  // namespace xdpflowd
