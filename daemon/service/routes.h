// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel's routing and neighbour tables say, asked one by one over rtnetlink.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/result.h"
#include "service/netlink_socket.h"
#include "xdpflow/abi.h"

struct nlmsghdr;

namespace xdpflowd {

struct Route {
  uint32_t ifindex = 0;  // egress device
  xf_addr source{};      // the own address that the kernel would choose; all zero if it has none
  bool local = false;    // to this machine itself
};

enum class Neighbour {
  absent,
  resolving,
  failed,  // it did not answer
  valid,
};

/// Of any device of this network namespace.
bool is_own_address(const xf_addr& address);

class Routes {
 public:
  static Result<Routes> open();

  /// nullopt: there is no route, or one that forbids. `source` all zero and `oif` 0: any.
  Result<std::optional<Route>> find(const xf_addr& to, const xf_addr& source, uint32_t oif) const;

  Result<Neighbour> neighbour(uint32_t ifindex, const xf_addr& address) const;

  /// Has the kernel resolve a neighbour that it does not know, or confirm one that it has not heard of for
  /// long. Waits for neither.
  Status use_neighbour(uint32_t ifindex, const xf_addr& address) const;

 private:
  explicit Routes(NetlinkSocket socket) : socket_(std::move(socket)) {}

  NetlinkSocket socket_;
};

}  // namespace xdpflowd
