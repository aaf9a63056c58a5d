// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/target_routes.h"

#include <algorithm>

#include "health/target_plan.h"

namespace xdpflowd {
namespace {

xf_cause refusal_of(const std::optional<Route>& route, const std::set<uint32_t>& observed) {
  if (!route) return XF_CAUSE_NONE;  // found out anew with each probe
  if (route->local) return XF_CAUSE_OWN_ADDRESS;
  return observed.contains(route->ifindex) ? XF_CAUSE_NONE : XF_CAUSE_NOT_OBSERVED;
}

}  // namespace

Status find_route(xf_target_config& config, const TargetSettings& wanted, const Routes& routes,
                  const LinkTable& links, const std::set<uint32_t>& observed) {
  const Link* device = wanted.interface.empty() ? nullptr : links.find(std::string_view(wanted.interface));
  config.oif = device ? device->ifindex : 0;
  config.refusal = XF_CAUSE_NONE;
  if (!wanted.interface.empty() && !device) {
    config.refusal = XF_CAUSE_NO_ROUTE;
    return ok();
  }
  config.source = {};
  if (!wanted.source.empty() && !is_own_address(address_of(wanted.source))) {
    config.refusal = XF_CAUSE_NO_SOURCE;
    return ok();
  }
  auto route = routes.find(config.address, address_of(wanted.source), config.oif);
  if (!route) return route.error();
  config.refusal = refusal_of(*route, observed);
  if (!*route) return ok();
  config.source = (*route)->source;
  config.route_ifindex = (*route)->ifindex;
  if (const Link* egress = links.find((*route)->ifindex)) std::ranges::copy(egress->mac, config.own_mac);
  return ok();
}

std::set<uint32_t> observed_devices(const LinkTable& links, const std::set<uint32_t>& attached) {
  auto observed = attached;
  const auto is_above = [&](const Link& link) {
    if (link.lower != 0 && link.kind != "veth" && observed.contains(link.lower)) return true;
    return std::ranges::any_of(links.links, [&](const Link& port) {
      return port.master == link.ifindex && observed.contains(port.ifindex);
    });
  };
  for (bool more = true; more;) {
    more = false;
    for (const Link& link : links.links)
      if (!observed.contains(link.ifindex) && is_above(link)) more = observed.insert(link.ifindex).second;
  }
  return observed;
}

}  // namespace xdpflowd
