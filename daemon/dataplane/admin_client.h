// SPDX-License-Identifier: GPL-2.0-or-later
// User space's one way to change flow tables: runs of the pinned admin program.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "dataplane/batch_program.h"
#include "dataplane/pinned_state.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

class AdminClient {
 public:
  /// Borrows the program's descriptor from `state`.
  explicit AdminClient(const PinnedState& state) : AdminClient(state.admin_program()) {}
  /// For a program that is not pinned yet.
  explicit AdminClient(int program) : program_(program, "admin") {}

  /// Ends the flows with these keys, any number, in `table`; returns how many it ended.
  Result<uint32_t> flush(xf_table table, std::span<const xf_flow_key> keys) const;
  /// Sets the timers of the live flows with these keys, any number, in `table`, to what is left of their
  /// deadlines by the timeouts of now; returns how many it set. Absent and ended flows and orphans are left
  /// alone.
  Result<uint32_t> rearm(xf_table table, std::span<const xf_flow_key> keys) const;
  /// Brings the live flows with these keys, any number, out of the former `table` of a resize; returns how
  /// many are still in it, those that have ended included.
  Result<uint32_t> move(xf_table table, std::span<const xf_flow_key> keys) const;
  Status start_reaper() const;

 private:
  BatchProgram program_;
};

}  // namespace xdpflowd
