// SPDX-License-Identifier: GPL-2.0-or-later
// Interface numbers mean something only in the network namespace where the data plane was attached.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

/// The inode of this thread's network namespace; 0 if it cannot be told.
uint64_t own_network_namespace();

/// An error, with the way out, if `control` was written in another one than this.
Status check_network_namespace(const xf_control& control, const std::string& state_dir);

}  // namespace xdpflowd
