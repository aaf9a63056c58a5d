// SPDX-License-Identifier: GPL-2.0-or-later
// What libxdp leaves behind when an interface goes away.
#pragma once

#include <optional>

#include "dataplane/xdp_state.h"

namespace xdpflowd {

/// An interface that vanished leaves its dispatcher's pins behind, and these keep our programs, and so our
/// flow tables, in memory. Removes those with no program but ours: of one interface that is gone, or of all.
void remove_dispatcher_pins(const Ownership& ownership, std::optional<unsigned> ifindex = std::nullopt);

}  // namespace xdpflowd
