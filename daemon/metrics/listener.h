// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace xdpflowd {

/// A TCP socket that listens on "127.0.0.1:9742" or "[::1]:9742". Port 0: any free one.
Result<UniqueFd> listen_on(const std::string& address);

uint16_t local_port(const UniqueFd& socket);

/// Raises this process's soft limit of open files so that `wanted` connections fit beside everything else it
/// has open. Returns how many do fit: the hard limit may allow fewer.
unsigned make_room_for_connections(unsigned wanted);

}  // namespace xdpflowd
