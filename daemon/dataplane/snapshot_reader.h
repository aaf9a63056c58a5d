// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/result.h"
#include "dataplane/pinned_state.h"
#include "dataplane/snapshot.h"
#include "dataplane/table_counter.h"

namespace xdpflowd {

Result<Snapshot> read_snapshot(const PinnedState& state, TableCounter& counter);

/// All but the targets, of which there may be a hundred thousand.
Result<Snapshot> read_counters(const PinnedState& state, TableCounter& counter);

}  // namespace xdpflowd
