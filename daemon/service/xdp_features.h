// SPDX-License-Identifier: GPL-2.0-or-later
// What the drivers of this network namespace's devices can do with XDP, as the kernel knows it before
// anything is attached (generic netlink family "netdev", Linux 6.3).
#pragma once

#include <cstdint>
#include <map>

#include "base/result.h"

namespace xdpflowd {

struct XdpFeatures {
  bool native = false;
  bool multi_buffer = false;  // native also above an MTU of about 3500
};

/// By ifindex. An error with code ENOENT: this kernel does not tell.
Result<std::map<uint32_t, XdpFeatures>> read_xdp_features();

}  // namespace xdpflowd
