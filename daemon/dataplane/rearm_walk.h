// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <atomic>
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
/// neither. While some CPUs set the timers of one chunk of flows, another reads the next one.
class RearmWalk {
 public:
  /// `state` must outlive it.
  RearmWalk(const PinnedState& state, const TimeoutSlots& shortened);

  /// Works for about ten milliseconds, some tens where a chunk is sorted; false when there is no more to do.
  Result<bool> step();
  uint64_t rearmed() const { return rearmed_; }

 private:
  struct LateFlow {
    uint64_t last_seen_ns;
    xf_flow_key key;
  };
  /// Flows of one table, in the order of their deadlines once it is complete.
  struct Chunk {
    xf_table table = XF_TABLE_HALF_OPEN;
    std::vector<LateFlow> flows;
    bool complete = false;
  };

  bool needs_it(const xf_flow& flow) const;
  bool has_read_all() const { return table_ == state_.zones().size() * XF_TABLES; }
  bool is_set() const { return taken_ >= chunk_.flows.size(); }
  Status read();
  Status work(uint64_t until_ns);
  Status set_bite();
  Status set_bites(const std::atomic<bool>& stop);

  const PinnedState& state_;
  AdminClient admin_;
  TimeoutSlots shortened_;
  size_t workers_;  // threads in a step
  uint32_t generation_ = 0;
  FlowWalk walk_;
  size_t table_ = 0;               // of all zones' tables, the one at which the walk is
  Chunk next_;                     // that is read
  Chunk chunk_;                    // whose timers are set
  std::atomic<size_t> taken_ = 0;  // of chunk_'s flows, by any thread
  std::atomic<uint64_t> rearmed_ = 0;
};

}  // namespace xdpflowd
