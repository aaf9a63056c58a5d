// SPDX-License-Identifier: GPL-2.0-or-later
// Which devices the [[interface]] entries mean. Pure: facts in, names out.
#pragma once

#include <string>
#include <vector>

#include "service/links.h"
#include "settings/settings.h"

namespace xdpflowd {

/// The entries device by device: those with a name as they are, whether the device is there or not; those
/// with a pattern once for each device that matches it now, up to XF_INTERFACES_MAX devices. For one device
/// and VLAN a name wins over a pattern, and an earlier pattern over a later one. A pattern means devices by
/// which packets enter: not the loopback, and none that is stacked on others (VLAN, bond, bridge, VRF, ...),
/// which would see the same packets again.
std::vector<InterfaceSettings> chosen_devices(const std::vector<InterfaceSettings>& entries,
                                              const LinkTable& links);

}  // namespace xdpflowd
