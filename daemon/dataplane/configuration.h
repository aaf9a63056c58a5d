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

/// Of the zone with this name.
Status write_promote_packets(const PinnedState& state, const std::string& zone, uint32_t promote_packets);

/// Whether flows that end leave records.
Status write_records_enabled(const PinnedState& state, bool enabled);

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
