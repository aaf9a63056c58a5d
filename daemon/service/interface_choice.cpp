// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/interface_choice.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

namespace xdpflowd {
namespace {

constexpr std::array<std::string_view, 9> stacked_kinds{"vlan",    "bond",    "bridge", "team", "vrf",
                                                        "macvlan", "macvtap", "ipvlan", "hsr"};

bool packets_enter_by(const Link& link) {
  return !link.loopback && std::ranges::find(stacked_kinds, link.kind) == stacked_kinds.end();
}

bool matches(const InterfaceSettings& entry, const Link& link) {
  return packets_enter_by(link) && fnmatch(entry.name.c_str(), link.name.c_str(), 0) == 0;
}

size_t devices_in(const std::vector<InterfaceSettings>& entries) {
  std::set<std::string_view> names;
  for (const auto& entry : entries) names.insert(entry.name);
  return names.size();
}

void add_matches(const InterfaceSettings& entry, const LinkTable& links,
                 std::vector<InterfaceSettings>& chosen) {
  for (const Link& link : links.links) {
    if (!matches(entry, link)) continue;
    const auto same_device = std::ranges::find(chosen, link.name, &InterfaceSettings::name);
    const bool taken = std::ranges::any_of(
        chosen, [&](const auto& other) { return other.name == link.name && other.vlan == entry.vlan; });
    if (taken || (same_device == chosen.end() && devices_in(chosen) == XF_INTERFACES_MAX)) continue;
    InterfaceSettings device = entry;
    device.name = link.name;
    if (same_device != chosen.end()) device.mode = same_device->mode;  // a device has one mode
    chosen.push_back(std::move(device));
  }
}

}  // namespace

std::vector<InterfaceSettings> chosen_devices(const std::vector<InterfaceSettings>& entries,
                                              const LinkTable& links) {
  std::vector<InterfaceSettings> chosen;
  for (const auto& entry : entries)
    if (!is_pattern(entry.name)) chosen.push_back(entry);
  for (const auto& entry : entries)
    if (is_pattern(entry.name)) add_matches(entry, links, chosen);
  return chosen;
}

}  // namespace xdpflowd
