// SPDX-License-Identifier: GPL-2.0-or-later
// The books of a table: created + moved in = live + ended + moved out + evicted. The kernel evicts without
// telling anybody, so evictions are what is missing from the books, seen from one look at them to the next.
#pragma once

#include <cstdint>

#include "dataplane/snapshot.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

/// Evictions as one look at the counters tells, read in the order created, moved, counted, ended. `counted`
/// is the kernel's number of elements. It holds also what has ended and waits for the reaper, so this is a
/// lower bound, exact at rest; negative while the counters are on the move.
int64_t eviction_estimate(const xf_zone_stats& stats, xf_table table, uint64_t counted);

/// `evicted` rises to the smaller of the last two estimates, which a race must spoil twice, and never falls.
xf_ledger ledger_after(const xf_ledger& before, int64_t estimate);

}  // namespace xdpflowd
