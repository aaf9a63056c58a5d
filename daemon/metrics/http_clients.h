// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <microhttpd.h>

#include <cstddef>
#include <list>

namespace xdpflowd {

/// The open connections of one MHD daemon, in the order of their last request. When there are too many, the
/// one that was quiet for longest is shut down, so that no number of stalled clients keeps a new one out.
class HttpClients {
 public:
  explicit HttpClients(size_t limit) : limit_(limit) {}

  /// An MHD_NotifyConnectionCallback; `self` is an HttpClients.
  static void notify(void* self, MHD_Connection* connection, void** socket_context,
                     MHD_ConnectionNotificationCode code);
  /// To be called for each request.
  void touch(MHD_Connection* connection);

 private:
  struct Client {
    MHD_Connection* connection;
    std::list<Client>* list;  // open_, or shut_ until MHD notices
    std::list<Client>::iterator self;
  };

  Client* open(MHD_Connection* connection);
  void shut_quietest();

  size_t limit_;
  std::list<Client> open_, shut_;
};

}  // namespace xdpflowd
