// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/route_monitor.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <vector>

namespace xdpflowd {
namespace {

constexpr unsigned rtmgrp_ipv6_rule = 1U << (RTNLGRP_IPV6_RULE - 1);  // has no name of its own
constexpr unsigned groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE |
                            RTMGRP_IPV4_RULE | rtmgrp_ipv6_rule;

Error netlink_error() {
  return system_error(errno, "cannot follow routes and addresses: netlink");
}

}  // namespace

Result<RouteMonitor> RouteMonitor::open() {
  NetlinkSocket socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket || mnl_socket_bind(socket.get(), groups, MNL_SOCKET_AUTOPID) < 0) return netlink_error();
  return RouteMonitor(std::move(socket));
}

/// Of more messages than the socket holds, as from a routing daemon that starts, the kernel drops the rest.
/// Some may be left for the next call.
Result<bool> RouteMonitor::has_news() {
  constexpr int at_once = 1000;
  std::vector<char> buffer(netlink_message_size);
  bool news = false;
  for (int i = 0; i < at_once; ++i) {
    const bool heard =
        mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size()) >= 0 || errno == ENOBUFS;
    if (!heard && errno == EAGAIN) break;
    if (!heard && errno != EINTR) return netlink_error();
    news = news || heard;
  }
  return news;
}

}  // namespace xdpflowd
