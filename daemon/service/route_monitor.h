// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/result.h"
#include "service/netlink_socket.h"

namespace xdpflowd {

/// Whether addresses, routes or rules have changed, not which: who wants to know asks the kernel.
class RouteMonitor {
 public:
  static Result<RouteMonitor> open();

  /// Since the last call.
  Result<bool> has_news();

 private:
  explicit RouteMonitor(NetlinkSocket socket) : socket_(std::move(socket)) {}

  NetlinkSocket socket_;
};

}  // namespace xdpflowd
