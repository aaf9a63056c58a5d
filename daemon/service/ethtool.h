// SPDX-License-Identifier: GPL-2.0-or-later
// What a device's driver says of it.
#pragma once

#include <string>

namespace xdpflowd {

/// Whether the device takes VLAN tags out of frames before XDP sees them. False where that cannot be found
/// out.
bool rx_vlan_offload(const std::string& interface);

/// "" where that cannot be found out.
std::string driver_of(const std::string& interface);

}  // namespace xdpflowd
