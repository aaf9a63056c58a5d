// SPDX-License-Identifier: GPL-2.0-or-later
// What a target's configuration needs of the routing table and the devices.
#pragma once

#include <cstdint>
#include <set>

#include "base/result.h"
#include "service/links.h"
#include "service/routes.h"
#include "settings/targets.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

/// Fills in source, devices and refusal, as they are now.
Status find_route(xf_target_config& config, const TargetSettings& wanted, const Routes& routes,
                  const LinkTable& links, const std::set<uint32_t>& observed);

/// Devices by which what arrives passes the packet program: those it is attached to, and those stacked on
/// them.
std::set<uint32_t> observed_devices(const LinkTable& links, const std::set<uint32_t>& attached);

}  // namespace xdpflowd
