// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/data_plane.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdint>

#include "base/clock.h"
#include "dataplane/flow_tables.h"
#include "dataplane/former_layout.h"
#include "dataplane/former_records.h"
#include "dataplane/starter.h"

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
      spdlog::warn(
          "carry-over: {} records of flows that have ended are dropped: no records file is configured", lost);
  return drop_aside(state_.state_dir());
}

Status DataPlane::heartbeat() const {
  auto control = state_.control().get(0);
  if (!control) return control.error();
  control->heartbeat_ns = monotonic_ns();
  control->pid = static_cast<uint32_t>(getpid());
  return state_.control().set(0, *control);
}

}  // namespace xdpflowd
