// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <ostream>

#include "base/result.h"
#include "ctl/arguments.h"
#include "dataplane/pinned_state.h"

namespace xdpflowd {

/// `flows`: a list, or how many there are.
Status show_flows(const PinnedState& state, const Arguments& arguments, std::ostream& out, size_t width);

/// `flush`: ends the flows that the filter wants, and says how many those were.
Status flush_flows(const PinnedState& state, const Arguments& arguments, std::ostream& out);

}  // namespace xdpflowd
