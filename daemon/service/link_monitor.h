// SPDX-License-Identifier: GPL-2.0-or-later
// The network devices, as the kernel tells of them.
#pragma once

#include "base/result.h"
#include "service/links.h"
#include "service/netlink_socket.h"

namespace xdpflowd {

class LinkMonitor {
 public:
  /// Listens first and reads then, so that nothing in between is missed.
  static Result<LinkMonitor> open();

  /// Readable when there is something to take in.
  int fd() const;
  /// As of open() or update().
  const LinkTable& table() const { return table_; }

  /// Takes in all that has happened; whether anything is different. If messages were lost, all is read anew.
  Result<bool> update();

 private:
  explicit LinkMonitor(NetlinkSocket socket) : socket_(std::move(socket)) {}
  enum class Heard { nothing_more, message, loss };
  Result<Heard> receive();
  Status reread();

  NetlinkSocket socket_;
  LinkTable table_;
};

}  // namespace xdpflowd
