// SPDX-License-Identifier: GPL-2.0-or-later
// Reads flow tables while they change, thousands of flows per system call.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.h"
#include "dataplane/pinned_state.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

using FlowVisitor = std::function<void(const xf_flow_key&, const xf_flow&)>;
using ZoneFlowVisitor = std::function<void(xf_table, const xf_flow_key&, const xf_flow&)>;

/// One walk through a table that may pause between system calls.
class FlowWalk {
 public:
  /// Shows up to `batch` flows, or a whole bucket of the hash; false when these were the last.
  Result<bool> next(const FlowTable& table, const FlowVisitor& visit);

 private:
  static constexpr size_t batch = 1024;  // about 150 KB: more does not stay in a CPU's second cache

  std::vector<xf_flow_key> keys_{batch};
  std::vector<xf_flow> flows_{batch};
  uint32_t position_ = 0;  // the kernel's: a bucket of the hash
  bool started_ = false;
};

/// Every element of one table once, whatever its phase.
Status for_each_flow(const FlowTable& table, const FlowVisitor& visit);

/// The live flows of a zone, each once: one that is promoted meanwhile counts as established. Code ESTALE: a
/// resize replaced a table meanwhile, so that flows may be missing from what was shown; open the state anew.
Status read_flows(const PinnedState& state, unsigned zone_index, const ZoneFlowVisitor& visit);

}  // namespace xdpflowd
