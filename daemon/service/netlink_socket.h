// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <libmnl/libmnl.h>

#include <memory>

namespace xdpflowd {

struct CloseNetlinkSocket {
  void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
};
using NetlinkSocket = std::unique_ptr<mnl_socket, CloseNetlinkSocket>;

/// The most that the kernel puts into one part of a dump, or into one message.
constexpr size_t netlink_message_size = 32UL * 1024;

}  // namespace xdpflowd
