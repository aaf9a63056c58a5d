// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel knows of the health targets.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/result.h"
#include "dataplane/pinned_state.h"
#include "flow/target.h"

namespace xdpflowd {

/// By index, in its order.
using TargetStates = std::vector<std::pair<uint32_t, xf_target>>;
Result<TargetStates> read_target_states(const PinnedState& state);

/// All targets, in the order of their index. One that is added or removed meanwhile may be missing.
Result<std::vector<Target>> read_targets(const PinnedState& state);

Result<TargetHistograms> read_target_rtts(const PinnedState& state);

}  // namespace xdpflowd
