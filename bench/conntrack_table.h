// SPDX-License-Identifier: GPL-2.0-or-later
// nf_conntrack's table in the network namespace of the calling thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"

struct mnl_socket;

namespace xdpflowd::bench {

class ConntrackTable {
 public:
  /// Makes a network namespace for the calling thread, which ends with it. Says why there is none.
  static Result<ConntrackTable> make();

  /// Replied UDP flows as of flow_key(), each with the timeout in seconds that `timeout_of` says.
  Status fill(uint32_t flows, const std::function<uint32_t(uint32_t)>& timeout_of) const;
  /// How many there are, overdue ones included.
  uint32_t count() const;
  /// How many there may be.
  static uint32_t limit();

 private:
  using Socket = std::unique_ptr<mnl_socket, int (*)(mnl_socket*)>;
  explicit ConntrackTable(Socket socket) : socket_(std::move(socket)) {}

  Socket socket_;
};

}  // namespace xdpflowd::bench
