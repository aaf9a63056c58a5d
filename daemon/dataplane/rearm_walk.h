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

/// Goes through all flow tables and sets the timers of flows whose timeout was made shorter, which would fire
/// too late, and of those that run the callback of another generation. Flows that appear meanwhile need
/// neither.
class RearmWalk {
 public:
  /// `state` must outlive it.
  RearmWalk(const PinnedState& state, const TimeoutSlots& shortened);

  /// A bite of a few milliseconds, some tens where a chunk is sorted; false when it was the last.
  Result<bool> step();
  uint64_t rearmed() const { return rearmed_; }

 private:
  size_t tables() const { return state_.zones().size() * XF_TABLES; }
  bool needs_it(const xf_flow& flow) const;
  Status collect(const FlowTable& table);
  std::vector<xf_flow_key> next_bite();
  Status rearm(xf_table table);

  struct LateFlow {
    uint64_t last_seen_ns;
    xf_flow_key key;
  };

  const PinnedState& state_;
  AdminClient admin_;
  TimeoutSlots shortened_;
  size_t workers_;  // threads in a step
  uint32_t generation_ = 0;
  FlowWalk walk_;
  std::vector<LateFlow> late_;  // a chunk of this table, in the order of their deadlines once collected
  bool collected_ = false;
  size_t set_ = 0;    // of late_, those whose timers are set
  size_t table_ = 0;  // of all zones' tables, the one at which the walk is
  uint64_t rearmed_ = 0;
};

}  // namespace xdpflowd
