// SPDX-License-Identifier: GPL-2.0-or-later
// SIGHUP: the settings are loaded again and what is different is applied, one change after the other.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "dataplane/pinned_state.h"
#include "housekeeper.h"
#include "settings/difference.h"
#include "settings/settings.h"

namespace xdpflowd {

/// The settings as the operator wants them now, or what is wrong with them, with its place in the file.
using SettingsLoader = std::function<Result<Settings>()>;

/// Changes of what the daemon itself owns. One that fails leaves what was.
struct ReloadActions {
  std::function<Status(const std::string& address)> serve_metrics_at;
  std::function<Status(const std::string& file)> record_to;
  /// Brings the data plane to the interfaces of the running settings; also tries again those that were
  /// refused.
  std::function<Status()> follow_interfaces;
  std::function<Status(const Settings& wanted)> apply_targets;
  std::function<Status(const HealthSettings& wanted)> apply_health;
};

class Reload {
 public:
  /// `running` is kept up to date: after a reload it has what was applied, and still the old value of what
  /// was refused. It, `state` and `housekeeper` must outlive this.
  Reload(Settings& running, SettingsLoader load, const PinnedState& state, Housekeeper& housekeeper,
         ReloadActions actions);

  /// Logs the outcome, change by change. Flow timers may be set and flows moved for a moment longer.
  void run();

 private:
  void apply_all(const Settings& wanted);
  bool settle(const Change& change, const Settings& wanted);
  Status apply(const Change& change, const Settings& wanted);
  Status apply_promote_packets(const Change& change, const Settings& wanted);
  Status apply_timeouts(const Timeouts& wanted);
  Status apply_zone_size(const Change& change, const Settings& wanted);
  Status apply_zone(const Change& change, const Settings& wanted);
  Status apply_interfaces(const Settings& wanted);
  Status apply_targets(const Settings& wanted);
  Status apply_health(const Settings& wanted);

  Settings& running_;
  SettingsLoader load_;
  const PinnedState& state_;
  Housekeeper& housekeeper_;
  ReloadActions actions_;
};

}  // namespace xdpflowd
