// SPDX-License-Identifier: GPL-2.0-or-later
// User space's one way to change flow tables: runs of the pinned admin program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "dataplane/pinned_state.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

class AdminClient {
 public:
  /// Borrows the program's descriptor from `state`.
  explicit AdminClient(const PinnedState& state) : program_(state.admin_program()) {}
  /// For a program that is not pinned yet.
  explicit AdminClient(int program) : program_(program) {}

  /// Ends the flows with these keys, any number, in `table`; returns how many it ended.
  Result<uint32_t> flush(xf_table table, std::span<const xf_flow_key> keys) const;
  /// Sets the timers of the live flows with these keys, any number, in `table`, to what is left of their
  /// deadlines by the timeouts of now; returns how many it set. Absent and ended flows and orphans are left
  /// alone.
  Result<uint32_t> rearm(xf_table table, std::span<const xf_flow_key> keys) const;
  /// Brings the live flows with these keys, any number, out of the former `table` of a resize; returns how
  /// many are still in it, those that have ended included.
  Result<uint32_t> move(xf_table table, std::span<const xf_flow_key> keys) const;
  /// Takes flows of a former layout, any number, into `table`; returns how many found no place. One that came
  /// in already is left as it is.
  Result<uint32_t> adopt(xf_table table, std::span<const xf_adopted> flows) const;
  /// Adds to the totals, each row once for the life of the pins.
  Status add(std::span<const xf_addend> rows) const;
  Status start_reaper() const;

 private:
  template <class Item>
  Result<uint32_t> change(xf_admin_op op, const char* what, xf_table table, std::span<const Item> items,
                          size_t bite) const;
  Result<int> run(const xf_admin_request& request, std::span<const std::byte> items) const;

  int program_;
};

}  // namespace xdpflowd
