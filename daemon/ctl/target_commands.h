// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <ostream>

#include "base/result.h"
#include "ctl/arguments.h"
#include "dataplane/pinned_state.h"

namespace xdpflowd {

/// Once. `width` of the terminal; 0: none.
Status show_targets(const PinnedState& state, const Arguments& arguments, std::ostream& out, size_t width);

/// Until it is interrupted.
Status watch_targets(const Arguments& arguments, std::ostream& out);

/// `targets set`.
Status set_target(const PinnedState& state, const Arguments& arguments, std::ostream& out);

}  // namespace xdpflowd
