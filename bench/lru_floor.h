// SPDX-License-Identifier: GPL-2.0-or-later
// The floor of floor.bpf.c as a program of its own: a flow tracker with one LRU table.
#pragma once

#include <cstdint>

#include "spread_job.h"
#include "support/tracker.h"

// The skeleton names types of the contract without including it.
#include "floor.skel.h"

namespace xdpflowd::bench {

class LruFloor {
 public:
  /// Throws std::runtime_error if it cannot be loaded.
  explicit LruFloor(uint32_t flows);

  int program() const { return bpf_program__fd(floor_->progs.track_floor); }
  /// Of a flow, since it is in the table; 0: it is not.
  uint64_t bytes(const xf_flow_key& key) const;

 private:
  test::Skeleton<floor_bpf> floor_{nullptr, floor_bpf__destroy};
};

}  // namespace xdpflowd::bench
