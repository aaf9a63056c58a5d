// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps the targets in the maps as the configuration wants them, and has those that are due probed. What
// becomes of them is decided in the kernel.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "dataplane/event_ring.h"
#include "dataplane/pinned_state.h"
#include "flow/target.h"
#include "health/own_ports.h"
#include "health/prober.h"
#include "health/target_plan.h"
#include "service/links.h"
#include "service/route_monitor.h"
#include "service/routes.h"
#include "settings/targets.h"

namespace xdpflowd {

/// A target's state, as shown, has changed. `target` is as of the call.
struct HealthChange {
  const TargetSettings& target;
  xf_target_event event;
};

class HealthChecks {
 public:
  using Listener = std::function<void(const HealthChange&)>;

  /// `state` must outlive it.
  static Result<HealthChecks> open(const PinnedState& state, Listener listener);

  /// Brings the maps to `wanted`. A target that stays keeps its state, and a probe under way is judged.
  Status apply(const std::vector<TargetSettings>& wanted, const LinkTable& links);
  /// Round trip times of each target, too. Of those that are there now: call it after apply().
  Status count_each(bool wanted);
  /// Devices or attachments may have changed.
  Status follow(const LinkTable& links);

  /// Readable while probes are due: call probe_due().
  int fd() const { return due_.fd(); }
  Status probe_due();

  /// For an event from the ring `events`.
  void on_event(const xf_target_event& event);
  /// Once a second: what timers and rings may have lost, routes that have changed, neighbours that grow old.
  Status tick();

  /// All of them, with their states as they are in the kernel now. Valid until the next call of anything
  /// here.
  Result<std::vector<const Target*>> look();
  /// None unless count_each(true) was the last word.
  Result<TargetHistograms> round_trips_of_each() const;

 private:
  struct Kept {
    TargetSettings wanted;
    Target target;                 // its state as of the last look()
    __u8 refusal = XF_CAUSE_NONE;  // as logged last
  };

  HealthChecks(const PinnedState& state, Listener listener, EventRing due, RouteMonitor monitor,
               std::unique_ptr<Routes> routes, Prober prober);
  Status reserve_ports(const std::vector<TargetSettings>& wanted);
  Status remove(const std::vector<Target>& gone);
  Status put(const PlannedTarget& planned);
  Status locate(uint32_t index, xf_target_config& config, const TargetSettings& wanted) const;
  Status write(uint32_t index, const xf_target_config& config, const xf_target_config* before);
  Status forget_key(uint32_t index, const xf_target_config& config);
  Status start(const std::vector<Prober::Start>& targets);
  Status observe(const LinkTable& links);
  Status refresh_route(uint32_t index, Kept& kept);
  template <class Visit>
  Status visit_some(uint32_t& last, size_t count, Visit visit);
  Status refresh_some_routes();
  Status use_neighbours();
  Status look_for_losses();
  Status look_for_stuck();
  static void log_refusal(Kept& kept);
  Prober::Start first_probe(uint32_t index, const TargetSettings& wanted);

  const PinnedState* state_;
  Listener listener_;
  EventRing due_;
  RouteMonitor route_monitor_;
  std::unique_ptr<Routes> routes_;
  Prober prober_;
  std::unique_ptr<OwnPorts> ports_;
  LinkTable links_;
  std::set<uint32_t> observed_;
  std::map<uint32_t, Kept> kept_;   // by index
  std::map<uint32_t, __u8> shown_;  // as told to the listener last
  std::vector<uint32_t> without_timer_;
  std::vector<Prober::NextHop> growing_old_;
  uint32_t last_refreshed_ = 0;  // index
  size_t out_of_date_ = 0;       // targets that were not refreshed since routes or addresses changed
  uint32_t last_looked_at_ = 0;  // index
  uint64_t events_lost_ = 0;
  unsigned ticks_ = 0;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace xdpflowd
