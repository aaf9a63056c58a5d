// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace xdpflowd {

/// Whether the device takes VLAN tags out of frames before XDP sees them. False where that cannot be found
/// out.
bool rx_vlan_offload(const std::string& interface);

}  // namespace xdpflowd
