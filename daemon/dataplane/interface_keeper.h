// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps the packet program on the devices that are wanted, while devices and wishes change.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dataplane/attach.h"
#include "dataplane/generation.h"
#include "dataplane/interface_outcome.h"
#include "dataplane/pinned_state.h"
#include "dataplane/takeover.h"

namespace xdpflowd {

/// A device that is there now.
struct Device {
  unsigned ifindex = 0;
  uint32_t mtu = 0;
  uint32_t xdp = 0;  // changes when an XDP program comes or goes

  bool operator==(const Device&) const = default;
};

using Devices = std::map<std::string, Device>;  // by name

enum class Retry {
  changed,  // devices that were refused are tried again when they have changed
  all,
};

class InterfaceKeeper {
 public:
  /// `hooks` and `outcomes`, in one order: what the start has done.
  InterfaceKeeper(PacketProgram program, Generation generation, const std::vector<Hook>& hooks,
                  const std::vector<InterfaceOutcome>& outcomes);

  /// Attaches to devices of `wanted` that came, detaches from those that are no longer wanted, and enters in
  /// the maps what is gone or has another name. A device keeps its place and its counters by its name. What
  /// happens to a device is logged; an error is one of the maps.
  Status follow(const PinnedState& state, const std::vector<InterfaceSettings>& wanted,
                const Devices& devices, Retry retry);

 private:
  struct Kept {
    InterfacePlan plan;
    std::optional<Device> device;  // as last seen; not of the start
    InterfaceOutcome outcome;
    bool taken_off = false;  // by somebody else: not attached again unasked
  };

  Status leave(const PinnedState& state, const std::vector<InterfacePlan>& plans, const Devices& devices);
  Status leave_one(const PinnedState& state, const PinnedInterface& known,
                   const std::vector<InterfacePlan>& plans, const Devices& devices);
  Status keep(const PinnedState& state, const Hook& hook, const Device& device, Retry retry);
  Status notice_loss(const PinnedState& state, const Hook& hook, const Device& device, Kept& kept) const;
  static bool is_settled(const Kept& kept, const Hook& hook, const Device& device, Retry retry);
  Status attach(const PinnedState& state, const Hook& hook, Kept& kept);

  PacketProgram program_;
  Generation generation_;
  std::map<unsigned, Kept> kept_;  // by ifindex
};

}  // namespace xdpflowd
