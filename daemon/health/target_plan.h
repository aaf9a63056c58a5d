// SPDX-License-Identifier: GPL-2.0-or-later
// From the configured targets to what stands in the maps. Pure: no kernel.
#pragma once

#include <cstdint>
#include <vector>

#include "flow/target.h"
#include "settings/targets.h"

namespace xdpflowd {

struct PlannedTarget {
  uint32_t index = 0;
  const TargetSettings* wanted = nullptr;
  xf_target_config config{};                 // without what the routing table says
  const xf_target_config* before = nullptr;  // as in the maps; nullptr: it is not there yet
};

struct TargetPlan {
  std::vector<PlannedTarget> targets;  // in the order of the configuration
  std::vector<Target> gone;
};

/// A target keeps its index, and so its state, by its name, as long as it is the same service: address, probe
/// and port. An index is not given to another target as long as there are any. `wanted` and `known` must
/// outlive the plan.
TargetPlan plan_targets(const std::vector<TargetSettings>& wanted, const std::vector<Target>& known);

/// An address of the configuration; the empty one is all zero.
xf_addr address_of(const std::string& text);

bool is_same(const xf_addr& a, const xf_addr& b);

/// Of those that share an address and a probe, the first is probed for all of them.
inline bool is_probed(uint32_t index, const xf_target_config& config) {
  return config.first_sharer == index;
}

/// What replies to this target's probes are found by. `config.source` must be known.
xf_probe_key key_of(const xf_target_config& config);

}  // namespace xdpflowd
