// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace xdpflowd {

/// XF_OWN_PORTS neighbouring ports of TCP and UDP that nobody else gets while this lives: what comes to them
/// answers a probe. Datagrams that reach them are dropped.
class OwnPorts {
 public:
  /// Those from `wanted` on if they can be had, so that probes under way stay known over a restart; 0: any.
  static Result<OwnPorts> reserve(uint16_t wanted);

  uint16_t first() const { return first_; }

 private:
  OwnPorts(uint16_t first, std::vector<UniqueFd> sockets) : first_(first), sockets_(std::move(sockets)) {}

  uint16_t first_;
  std::vector<UniqueFd> sockets_;
};

}  // namespace xdpflowd
