// SPDX-License-Identifier: GPL-2.0-or-later
#include "interfaces.h"

#include "base/log.h"
#include "service/ethtool.h"
#include "service/interface_advice.h"
#include "service/interface_choice.h"

namespace xdpflowd {
namespace {

Devices devices_in(const LinkTable& table) {
  Devices devices;
  for (const Link& link : table.links) devices[link.name] = {link.ifindex, link.mtu, link.xdp};
  return devices;
}

}  // namespace

std::vector<InterfaceSettings> Interfaces::chosen(const Settings& settings) const {
  return chosen_devices(settings.interfaces, monitor_.table());
}

Status Interfaces::on_links(const Settings& settings, DataPlane& data_plane) {
  const auto changed = monitor_.update();
  if (!changed) return changed.error();
  return *changed ? follow(settings, data_plane, Retry::changed) : ok();
}

Status Interfaces::follow(const Settings& settings, DataPlane& data_plane, Retry retry) {
  auto followed = data_plane.follow(chosen(settings), devices_in(monitor_.table()), retry);
  advise(settings);
  return followed;
}

void Interfaces::advise(const Settings& settings) {
  Settings concrete = settings;
  concrete.interfaces = chosen(settings);
  const auto advice = interface_advice(concrete, monitor_.table(), rx_vlan_offload);
  for (const auto& line : advice)
    if (!advice_.contains(line)) log::warn("{}", line);
  advice_ = {advice.begin(), advice.end()};
}

}  // namespace xdpflowd
