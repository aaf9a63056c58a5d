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

ZoneIndexes zone_indexes(const PinnedState& state);

Status write_timeouts(const PinnedState& state, const Timeouts& configured);

/// Of the zone with this name.
Status write_promote_packets(const PinnedState& state, const std::string& zone, uint32_t promote_packets);

/// Whether flows that end leave records.
Status write_records_enabled(const PinnedState& state, bool enabled);

/// The place of each device in `interfaces`, in the order of `plans`. One keeps its place, and so its
/// counters, for the life of the pins; only when no place is left, those of devices that are neither wanted
/// nor there are given to others, with counters from zero.
Result<std::vector<uint16_t>> interface_indexes(const PinnedState& state,
                                                const std::vector<InterfacePlan>& plans);

Status write_attachment(const PinnedState& state, uint16_t index, xf_mode mode, bool dispatcher);

/// A device into `interfaces`; its zone rules, to be written before it is attached, are added to `rules`.
Status enter_hook(const PinnedState& state, const Hook& hook, std::vector<ZoneRule>& rules);

/// The device is not there now.
Status write_absence(const PinnedState& state, uint16_t index);

/// Puts `rules` in place, then removes all others: no packet meets an empty map.
Status write_zone_rules(const PinnedState& state, const std::vector<ZoneRule>& rules);

}  // namespace xdpflowd
