// SPDX-License-Identifier: GPL-2.0-or-later
// The flows, totals and names of a data plane with another layout, brought into this one.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "dataplane/flow_carrier.h"
#include "dataplane/former_state.h"
#include "dataplane/loader.h"
#include "dataplane/pinned_state.h"
#include "settings/settings.h"

namespace xdpflowd {

class CarryOver {
 public:
  /// What was set aside below `state_dir`.
  static Result<CarryOver> of(const std::string& state_dir);

  /// Those that are no longer configured, but may have flows.
  std::vector<ZoneSettings> further_zones(const std::vector<ZoneSettings>& configured) const;

  /// Zones and interfaces get the places that they had, in maps of `owner` that nobody uses yet.
  Status reproduce(const bpf_object* owner) const;

  /// Once the maps of `owner` are there, and before anything is switched: a kernel may refuse the program.
  Status load(const bpf_object* owner, uint32_t generation);

  /// The moment before the switch: between here and there no packet is counted, so none is counted twice.
  Status stop_counting() const { return former_.stop_counting(); }

  /// After the switch: all flows and totals, each once, however often this is cut short and done again.
  Status run(const PinnedState& state) const;

 private:
  explicit CarryOver(FormerState former) : former_(std::move(former)) {}
  Status stop_clock(const PinnedState& state) const;
  Status add_totals() const;
  Status carry_flows(FlowCarrier& carrier) const;

  FormerState former_;
  BpfObject program_;
  std::vector<xf_zone> zones_;  // by index
};

}  // namespace xdpflowd
