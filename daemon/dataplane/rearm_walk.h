// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "dataplane/admin_client.h"
#include "dataplane/flow_reader.h"
#include "dataplane/pinned_state.h"

namespace xdpflowd {

/// By slot of the map `timeouts`.
using TimeoutSlots = std::bitset<XF_TIMEOUT_SLOTS>;

/// Goes through all flow tables and sets the timers of flows whose timeout was made shorter: theirs would
/// fire too late. Flows that appear meanwhile are armed by the new timeouts anyway.
class RearmWalk {
 public:
  /// `state` must outlive it.
  RearmWalk(const PinnedState& state, const TimeoutSlots& shortened);

  /// A bite of a few milliseconds; false when it was the last.
  Result<bool> step();
  uint64_t rearmed() const { return rearmed_; }

 private:
  const PinnedState& state_;
  AdminClient admin_;
  TimeoutSlots shortened_;
  FlowWalk walk_;
  std::vector<xf_flow_key> late_;
  size_t table_ = 0;  // of all zones' tables, the one at which the walk is
  uint64_t rearmed_ = 0;
};

}  // namespace xdpflowd
