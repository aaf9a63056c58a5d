// SPDX-License-Identifier: GPL-2.0-or-later
// What a change of the configuration or of the programs leaves to do, in idle turns of the loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "dataplane/data_plane.h"
#include "dataplane/rearm_walk.h"
#include "dataplane/resizer.h"
#include "service/event_loop.h"

namespace xdpflowd {

class Housekeeper {
 public:
  /// Both must outlive it.
  Housekeeper(DataPlane& data_plane, EventLoop& loop);

  /// Takes up what the last daemon left undone, and the flows of the last generation: call it once.
  Status start(const Settings& settings);

  /// Sets the timers of flows whose timeout became shorter.
  Status rearm(const TimeoutSlots& shortened);

  /// Puts the new table in place; its flows move over later.
  Status resize(const std::string& zone, xf_table table, uint32_t size);

  Status add_zone(const ZoneSettings& zone);

  /// Once a second.
  void tick();

 private:
  Status work();
  void turn();
  bool resize_on();
  bool rearm_on();
  Status forget_former_program();

  DataPlane& data_plane_;
  EventLoop& loop_;
  Resizer resizer_;
  bool resizing_ = false;
  TimeoutSlots shortened_;         // whose flows the walk has not reached all
  std::optional<RearmWalk> walk_;  // while there is work
  uint64_t walk_began_ns_ = 0;
  std::optional<EventSource> turns_;
};

}  // namespace xdpflowd
