// SPDX-License-Identifier: GPL-2.0-or-later
// The network devices of the daemon's own network namespace.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct nlmsghdr;

namespace xdpflowd {

struct Link {
  uint32_t ifindex = 0;
  std::string name;
  std::string kind;     // "vlan", "bond", "bridge", "vrf", "veth" ...; "" for hardware
  uint32_t master = 0;  // the bond, bridge or VRF it belongs to; 0 if none
  uint32_t lower = 0;   // the device below (VLAN) or at the other end (veth); 0 if none or elsewhere
  std::optional<uint16_t> vlan_id;  // of a VLAN device
  uint32_t mtu = 0;
  bool up = false;       // administratively
  bool carrier = false;  // and something is at the other end
  bool loopback = false;
  std::array<uint8_t, 6> mac{};  // all zero: not of Ethernet
  uint32_t xdp = 0;              // the ids of the XDP programs there, added up; 0 if there is none

  bool operator==(const Link&) const = default;
};

struct LinkTable {
  std::vector<Link> links;  // in the order in which the kernel tells of them

  /// nullptr if there is none.
  const Link* find(std::string_view name) const;
  const Link* find(uint32_t ifindex) const;
};

/// From a message RTM_NEWLINK or RTM_DELLINK.
Link link_of(const nlmsghdr* message);

/// Asks the kernel by rtnetlink: /sys/class/net shows the namespace in which /sys was mounted, which may be
/// another.
Result<LinkTable> read_links();

}  // namespace xdpflowd
