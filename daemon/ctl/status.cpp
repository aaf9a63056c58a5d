// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/status.h"

#include <string.h>

#include <algorithm>
#include <numeric>

namespace xdpflowd {

std::optional<int64_t> StatusReport::heartbeat_age_ns() const {
  if (snapshot.control.heartbeat_ns == 0) return std::nullopt;
  return std::max<int64_t>(0, static_cast<int64_t>(now_ns - snapshot.control.heartbeat_ns));
}

bool StatusReport::daemon_stalled() const {
  constexpr int64_t patience_ns = 5'000'000'000;  // it writes one every second
  return daemon.running && heartbeat_age_ns().value_or(0) > patience_ns;
}

std::string StatusReport::data_plane_version() const {
  const char* text = snapshot.control.version;
  return {text, strnlen(text, sizeof snapshot.control.version)};
}

uint64_t total_packets(const InterfaceSnapshot& interface) {
  const auto& packets = interface.stats.packets;
  return std::accumulate(std::begin(packets), std::end(packets), uint64_t{0});
}

}  // namespace xdpflowd
