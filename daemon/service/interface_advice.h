// SPDX-License-Identifier: GPL-2.0-or-later
// What an operator should know about the chosen interfaces. Pure: facts in, sentences out.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "service/links.h"
#include "settings/settings.h"

namespace xdpflowd {

/// rx_vlan_offload(), or a test's stand-in.
using OffloadQuery = std::function<bool(const std::string& interface)>;

/// Warnings, one line each: first interface by interface in the order of the file, then about zones.
std::vector<std::string> interface_advice(const Settings& settings, const LinkTable& links,
                                          const OffloadQuery& rx_vlan_offload);

}  // namespace xdpflowd
