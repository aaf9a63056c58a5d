// SPDX-License-Identifier: GPL-2.0-or-later
// Brings the data plane up, or takes over the one that runs; afterwards it works without us.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "dataplane/pinned_state.h"
#include "dataplane/state_lock.h"
#include "dataplane/table_maker.h"
#include "settings/settings.h"

namespace xdpflowd {

struct InterfaceOutcome {
  enum class Kind {
    attached,
    missing,  // no such interface now
    failed,
  };

  std::string name;
  Kind kind = Kind::failed;
  unsigned ifindex = 0;
  xf_mode mode = XF_MODE_DETACHED;
  bool dispatcher = false;
  std::string reason;  // "" if attached
};

class Starter;

/// Holds the lock on state_dir. Its end leaves everything at work.
class DataPlane {
 public:
  /// An error if not one interface can be used; a first start that fails leaves nothing behind.
  /// `version`: of this daemon, for the tools.
  static Result<DataPlane> start(const Settings& settings, const std::string& version);

  const PinnedState& state() const { return state_; }
  PinnedState& state() { return state_; }
  const FlowTypes& flow_types() const { return flow_types_; }
  /// One per device, in the order of the configuration.
  const std::vector<InterfaceOutcome>& interfaces() const { return interfaces_; }
  uint32_t generation() const { return generation_; }

  /// Shows the tools that a daemon is alive, and how long ago it was.
  Status heartbeat() const;

 private:
  friend class Starter;
  DataPlane(StateLock lock, PinnedState state, FlowTypes flow_types, std::vector<InterfaceOutcome> interfaces,
            uint32_t generation)
      : lock_(std::move(lock)),
        state_(std::move(state)),
        flow_types_(std::move(flow_types)),
        interfaces_(std::move(interfaces)),
        generation_(generation) {}

  StateLock lock_;
  PinnedState state_;
  FlowTypes flow_types_;
  std::vector<InterfaceOutcome> interfaces_;
  uint32_t generation_;
};

}  // namespace xdpflowd
