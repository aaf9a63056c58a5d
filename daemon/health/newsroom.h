// SPDX-License-Identifier: GPL-2.0-or-later
// Who is told when a target changes: the log, its hook, and whoever listens on the event socket.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "flow/target.h"
#include "health/event_socket.h"
#include "health/health_checks.h"
#include "health/hooks.h"
#include "settings/targets.h"

namespace xdpflowd {

class Newsroom {
 public:
  /// The states of all targets, for those who begin to listen.
  using PresentTargets = std::function<Result<std::vector<const Target*>>()>;

  /// `loop` must outlive it.
  Newsroom(EventLoop& loop, PresentTargets targets)
      : loop_(loop), targets_(std::move(targets)), hooks_(loop) {}

  /// An event socket that cannot be had in another place leaves the one before.
  Status apply(const HealthSettings& settings);

  void tell(const HealthChange& change);

  const HookCounters& hook_counters() const { return hooks_.counters(); }

 private:
  std::vector<std::string> present_states() const;

  EventLoop& loop_;
  PresentTargets targets_;
  HookRunner hooks_;
  std::optional<EventSocket> events_;
  std::string events_path_;
};

}  // namespace xdpflowd
