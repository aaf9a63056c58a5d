// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/interface_advice.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace xdpflowd {
namespace {

/// The device and what it belongs to, bottom up: a port, its bond, the bond's bridge, the bridge's VRF.
std::vector<const Link*> with_masters(const LinkTable& links, const Link& link) {
  constexpr size_t deepest = 9;  // the kernel stacks no more than 8 devices on one
  std::vector<const Link*> stack;
  for (const Link* at = &link; at != nullptr && stack.size() < deepest; at = links.find(at->master)) {
    stack.push_back(at);
  }
  return stack;
}

/// A VLAN device that gets its frames through `link`: with this id, or any.
const Link* vlan_device(const LinkTable& links, const Link& link, std::optional<uint16_t> id) {
  for (const Link* lower : with_masters(links, link)) {
    for (const Link& upper : links.links) {
      if (upper.kind != "vlan" || upper.lower != lower->ifindex) continue;
      if (!id || upper.vlan_id == id) return &upper;
    }
  }
  return nullptr;
}

bool is_stacked(const Link& link) {
  return link.kind == "bond" || link.kind == "bridge" || link.kind == "vlan";
}

std::string ports_of(const LinkTable& links, const Link& master) {
  std::string names;
  for (const Link& link : links.links) {
    if (link.master == master.ifindex) names += (names.empty() ? "" : ", ") + link.name;
  }
  return names.empty() ? "none yet" : names;
}

std::string stacked_advice(const LinkTable& links, const Link& link) {
  const std::string why = ", where XDP can run in the driver";
  if (link.kind != "vlan") {
    return link.name + " is a " + link.kind + ": better attach its ports (" + ports_of(links, link) + ")" +
           why;
  }
  const Link* lower = links.find(link.lower);
  return link.name + " is a VLAN device: better attach " +
         (lower != nullptr ? lower->name : "the device below it") +
         " with vlan = " + std::to_string(link.vlan_id.value_or(0)) + why;
}

std::string tag_advice(const Link& link) {
  std::string advice =
      link.name + ": rx-vlan-offload hides VLAN tags from XDP: run `ethtool -K " + link.name + " rxvlan off`";
  if (link.kind != "veth") return advice;
  return advice + " and, where its peer is, `ethtool -K PEER txvlan off`";  // the tag is hidden by the sender
}

bool carries_vlans(const Settings& settings, const LinkTable& links, const Link& link) {
  return vlan_device(links, link, std::nullopt) != nullptr ||
         std::ranges::any_of(settings.interfaces,
                             [&](const auto& entry) { return entry.vlan && entry.name == link.name; });
}

void advise_on_devices(const Settings& settings, const LinkTable& links, const OffloadQuery& rx_vlan_offload,
                       std::vector<std::string>& advice) {
  std::set<std::string> seen;
  for (const InterfaceSettings& entry : settings.interfaces) {
    if (!seen.insert(entry.name).second) continue;
    const Link* link = links.find(entry.name);
    if (link == nullptr) {
      advice.push_back(entry.name + ": no such interface; attached when it appears");
    } else if (is_stacked(*link)) {
      advice.push_back(stacked_advice(links, *link));
    } else if (carries_vlans(settings, links, *link) && rx_vlan_offload(link->name)) {
      advice.push_back(tag_advice(*link));
    }
  }
}

/// An [[interface]] entry whose routing table is known.
struct Placed {
  std::string label;
  std::string zone;
  const Link* vrf;  // nullptr: the main table
};

std::optional<Placed> place(const LinkTable& links, const InterfaceSettings& entry) {
  const Link* link = links.find(entry.name);
  if (link != nullptr && entry.vlan) link = vlan_device(links, *link, entry.vlan);
  if (link == nullptr) return std::nullopt;
  const std::string label = entry.vlan ? entry.name + " vlan " + std::to_string(*entry.vlan) : entry.name;
  const auto stack = with_masters(links, *link);
  const auto vrf = std::ranges::find(stack, "vrf", &Link::kind);
  return Placed{label, entry.zone, vrf == stack.end() ? nullptr : *vrf};
}

std::string zone_advice(const Placed& one, const Placed& other) {
  const std::string table = one.vrf != nullptr ? "of VRF " + one.vrf->name : "outside of any VRF";
  return "zones \"" + one.zone + "\" and \"" + other.zone + "\" share a routing table (" + one.label +
         " and " + other.label + ", " + table +
         "): a conversation between them becomes two one-way flows; give all interfaces " +
         "of one routing table the same zone";
}

void advise_on_zones(const Settings& settings, const LinkTable& links, std::vector<std::string>& advice) {
  std::vector<Placed> placed;
  std::set<std::pair<std::string, std::string>> warned;
  for (const InterfaceSettings& entry : settings.interfaces) {
    const auto next = place(links, entry);
    if (!next) continue;
    for (const Placed& other : placed) {
      if (other.zone == next->zone || other.vrf != next->vrf) continue;
      if (warned.insert(std::minmax(other.zone, next->zone)).second)
        advice.push_back(zone_advice(other, *next));
    }
    placed.push_back(*next);
  }
}

}  // namespace

std::vector<std::string> interface_advice(const Settings& settings, const LinkTable& links,
                                          const OffloadQuery& rx_vlan_offload) {
  std::vector<std::string> advice;
  advise_on_devices(settings, links, rx_vlan_offload, advice);
  advise_on_zones(settings, links, advice);
  return advice;
}

}  // namespace xdpflowd
