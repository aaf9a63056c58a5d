// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/result.h"
#include "dataplane/pinned_state.h"
#include "dataplane/snapshot.h"
#include "dataplane/table_counter.h"

namespace xdpflowd {

/// Keeps the ledger: the evictions that the kernel does not report. One per data plane: the daemon.
class Bookkeeper {
 public:
  /// `state` must outlive it.
  explicit Bookkeeper(const PinnedState& state) : state_(state), counter_(TableCounter::Walk::allowed) {}

  /// Reads all counters, but no targets, and brings the pinned ledger up to them: in the snapshot, the books
  /// add up. New evictions count once two looks have shown them, so the first that shows some is followed by
  /// another at once.
  Result<Snapshot> balance();

 private:
  static bool is_behind(const Snapshot& snapshot);
  Result<Snapshot> look();
  Status enter(ZoneSnapshot& zone, xf_table table) const;

  const PinnedState& state_;
  TableCounter counter_;
};

}  // namespace xdpflowd
