// SPDX-License-Identifier: GPL-2.0-or-later
// Reads flow tables while they change, thousands of flows per system call.
#pragma once

#include <functional>

#include "base/result.h"
#include "dataplane/pinned_state.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

using FlowVisitor = std::function<void(const xf_flow_key&, const xf_flow&)>;
using ZoneFlowVisitor = std::function<void(xf_table, const xf_flow_key&, const xf_flow&)>;

/// Every element of one table once, whatever its phase.
Status for_each_flow(const FlowTable& table, const FlowVisitor& visit);
Status for_each_flow(const PinnedState& state, unsigned zone_index, xf_table table, const FlowVisitor& visit);

/// The live flows of a zone, each once: one that is promoted meanwhile counts as established.
Status read_flows(const PinnedState& state, unsigned zone_index, const ZoneFlowVisitor& visit);

}  // namespace xdpflowd
