// SPDX-License-Identifier: GPL-2.0-or-later
// Real traffic from within the test's process: sockets that live in the lab's namespaces. Failures throw.
// Nothing waits for longer than ten seconds.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

#include "base/unique_fd.h"
#include "support/netns.h"
#include "support/packet_builder.h"

namespace xdpflowd::test {

UniqueFd listen_tcp(const Netns& netns, const std::string& address, uint16_t port);
UniqueFd connect_tcp(const Netns& netns, const std::string& address, uint16_t port);
/// errno of connect(2), 0 if it worked.
int try_connect(const Netns& netns, const std::string& address, uint16_t port);
UniqueFd accept_tcp(const UniqueFd& listener);
/// A connect(2) that nobody waits for.
UniqueFd begin_connect(const Netns& netns, const std::string& address, uint16_t port);

void send_all(const UniqueFd& socket, std::string_view bytes);
/// Until `count` bytes have come; what came is given back. Less if the other end closes.
std::string receive(const UniqueFd& socket, size_t count);
/// Until the other end closes.
std::string receive_all(const UniqueFd& socket);

/// One connection, both ends at hand.
struct TcpPair {
  UniqueFd client, server;

  void send_up(size_t bytes) const { transfer(client, server, bytes); }
  void send_down(size_t bytes) const { transfer(server, client, bytes); }
  /// The client closes, then the server; both FINs acknowledged once the flow is in TIME_WAIT.
  void close();

 private:
  static void transfer(const UniqueFd& from, const UniqueFd& to, size_t bytes);
};

TcpPair open_tcp(const Lab& lab, const std::string& address, uint16_t port);
/// Several over one listener.
std::vector<TcpPair> open_tcp(const Lab& lab, const std::string& address, uint16_t port, size_t connections);

UniqueFd udp_socket(const Netns& netns, const std::string& address, uint16_t port);
void send_udp(const UniqueFd& socket, const std::string& address, uint16_t port, size_t bytes);
/// Bytes of the next datagram.
size_t receive_udp(const UniqueFd& socket);
/// Sends the next datagram back to where it came from.
void answer_udp(const UniqueFd& socket);

/// Sends frames as they are, from a device of a namespace.
class FrameSender {
 public:
  FrameSender(const Netns& netns, const std::string& device);
  void send(const Bytes& frame) const;
  void send(const Packet& packet) const { send(packet.frame()); }

 private:
  UniqueFd socket_;
};

/// Answers every request, over IPv4 and IPv6, with a page of `bytes` bytes, one client after the other.
class WebServer {
 public:
  WebServer(const Netns& netns, uint16_t port, size_t bytes);
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

 private:
  void serve(size_t bytes) const;

  UniqueFd listener_;
  std::atomic<bool> stop_ = false;
  std::thread worker_;
};

struct HttpAnswer {
  int status = 0;  // 0: no answer
  std::string headers, body;
};

HttpAnswer http_get(const Netns& netns, const std::string& address, uint16_t port, const std::string& path);

}  // namespace xdpflowd::test
