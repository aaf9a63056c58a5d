// SPDX-License-Identifier: GPL-2.0-or-later
// Brings the data plane up, or takes over the one that runs; afterwards it works without us.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "dataplane/interface_keeper.h"
#include "dataplane/pinned_state.h"
#include "dataplane/state_lock.h"
#include "dataplane/table_maker.h"
#include "settings/settings.h"

namespace xdpflowd {

class Starter;

/// Holds the lock on state_dir. Its end leaves everything at work.
class DataPlane {
 public:
  /// `devices`: the interfaces to attach to, there or not. An error if not one can be used, unless the
  /// settings have patterns, which devices may match later; a first start that fails leaves nothing behind.
  /// `version`: of this daemon, for the tools.
  static Result<DataPlane> start(const Settings& settings, const std::vector<InterfaceSettings>& devices,
                                 const std::string& version);

  const PinnedState& state() const { return state_; }
  PinnedState& state() { return state_; }
  const FlowTypes& flow_types() const { return flow_types_; }
  uint32_t generation() const { return generation_; }

  /// InterfaceKeeper::follow().
  Status follow(const std::vector<InterfaceSettings>& wanted, const Devices& devices, Retry retry) {
    return keeper_.follow(state_, wanted, devices, retry);
  }
  /// Makes its tables, or opens those of an earlier configuration.
  Status add_zone(const ZoneSettings& zone);

  /// Removes what is left of a data plane of another layout: its flows were carried over by the start.
  Status forget_former_layout() const;

  /// Whether all is pinned as it was; an operator may unload it, or unmount the file system, at any time.
  bool is_pinned() const;

  /// For when it is not: without pins no daemon could take the programs over, and without a daemon no flow
  /// would end. Detaches those that are still attached; true if any was.
  Result<bool> detach_all() const;

  /// Shows the tools that a daemon is alive, and how long ago it was.
  Status heartbeat() const;

 private:
  friend class Starter;
  DataPlane(StateLock lock, PinnedState state, FlowTypes flow_types, InterfaceKeeper keeper,
            uint32_t generation)
      : lock_(std::move(lock)),
        state_(std::move(state)),
        flow_types_(std::move(flow_types)),
        keeper_(std::move(keeper)),
        generation_(generation) {}

  StateLock lock_;
  PinnedState state_;
  FlowTypes flow_types_;
  InterfaceKeeper keeper_;
  uint32_t generation_;
};

}  // namespace xdpflowd
