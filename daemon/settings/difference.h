// SPDX-License-Identifier: GPL-2.0-or-later
// What a changed configuration asks for. Pure: applying it is somebody else's job.
#pragma once

#include <string>
#include <vector>

#include "settings/settings.h"

namespace xdpflowd {

enum class Setting {
  log_level,
  state_dir,
  dispatcher,
  metrics_listen,
  per_target_histograms,
  records_file,
  timeout,
  health_events,
  health_hooks,  // who runs them, for how long
  zone,          // one that comes or goes
  zone_size,
  promote_packets,
  interface,  // comes, goes or changes
  target,     // comes, goes or changes
};

/// Whether a running daemon can take over a change.
bool applies_live(Setting setting);

struct Change {
  Setting setting;
  std::string key;  // "timeouts.udp"
  std::string before;
  std::string after;  // both as the file would say it; "none" for what is not in it; of an edited target the
                      // keys that differ

  bool operator==(const Change&) const = default;
};

/// "timeouts.udp: 30s -> 10s"
std::string text_of(const Change& change);

/// In this order: [daemon], [metrics], [records], [timeouts], [health], zones, interfaces, targets.
std::vector<Change> difference(const Settings& running, const Settings& wanted);

}  // namespace xdpflowd
