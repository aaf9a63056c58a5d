// SPDX-License-Identifier: GPL-2.0-or-later
// Writes the settings into the maps.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "dataplane/pinned_state.h"
#include "dataplane/plan.h"

namespace xdpflowd {

Status write_timeouts(const PinnedState& state, const Timeouts& configured);

/// The place of each device in `interfaces`, in the order of `plans`; one keeps its place for the life of the
/// pins.
Result<std::vector<uint16_t>> interface_indexes(const PinnedState& state,
                                                const std::vector<InterfacePlan>& plans);

/// Names, zones and addresses of the devices, before anything is attached. What runs already keeps its mode.
Status write_interface(const PinnedState& state, uint16_t index, const InterfacePlan& plan, uint32_t ifindex);
Status write_attachment(const PinnedState& state, uint16_t index, xf_mode mode, bool dispatcher);

/// Puts `rules` in place, then removes all others: no packet meets an empty map.
Status write_zone_rules(const PinnedState& state, const std::vector<ZoneRule>& rules);

}  // namespace xdpflowd
