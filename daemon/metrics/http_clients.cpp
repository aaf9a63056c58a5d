// SPDX-License-Identifier: GPL-2.0-or-later
#include "metrics/http_clients.h"

#include <sys/socket.h>

namespace xdpflowd {

void HttpClients::notify(void* self, MHD_Connection* connection, void** socket_context,
                         MHD_ConnectionNotificationCode code) {
  auto* clients = static_cast<HttpClients*>(self);
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    *socket_context = clients->open(connection);
  } else if (auto* client = static_cast<Client*>(*socket_context)) {
    client->list->erase(client->self);
  }
}

void HttpClients::touch(MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  const auto* client = static_cast<Client*>(info->socket_context);
  client->list->splice(client->list->end(), *client->list, client->self);
}

HttpClients::Client* HttpClients::open(MHD_Connection* connection) {
  if (open_.size() >= limit_) shut_quietest();
  Client& client = open_.emplace_back(Client{connection, &open_, {}});
  client.self = std::prev(open_.end());
  return &client;
}

/// MHD cannot be told to close a connection; it does so in its next turn when it finds the end of the stream.
void HttpClients::shut_quietest() {
  Client& client = open_.front();
  client.list = &shut_;
  shut_.splice(shut_.end(), open_, client.self);
  shutdown(MHD_get_connection_info(client.connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd,
           SHUT_RDWR);
}

}  // namespace xdpflowd
