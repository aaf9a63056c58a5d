// SPDX-License-Identifier: GPL-2.0-or-later
#include "sockets.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace xdpflowd::test {
namespace {

constexpr timeval patience_of_sockets{.tv_sec = 30, .tv_usec = 0};
constexpr int backlog = 1024;

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

/// A call that waits no longer than the socket's patience fails with EINTR whenever the kernel wakes the
/// thread for work of its own, also where no signal has a handler: socket(7) has a time limit turn SA_RESTART
/// off.
template <typename Call>
auto retried(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// IPv4 or IPv6, as the text tells.
class Address {
 public:
  Address(const std::string& text, uint16_t port) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage_);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage_);
    if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
      v4->sin_family = AF_INET;
      v4->sin_port = htons(port);
    } else if (inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
      v6->sin6_family = AF_INET6;
      v6->sin6_port = htons(port);
    } else {
      throw std::runtime_error("not an address: " + text);
    }
  }

  int family() const { return storage_.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return family() == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6); }

 private:
  sockaddr_storage storage_{};
};

int connect_to(const UniqueFd& socket, const Address& remote) {
  return retried([&] { return connect(socket.get(), remote.get(), remote.size()); });
}

UniqueFd accept_from(const UniqueFd& listener) {
  return UniqueFd(retried([&] { return accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC); }));
}

UniqueFd make_socket(const Netns& netns, int family, int type) {
  UniqueFd made;
  netns.call([&] { made = UniqueFd(socket(family, type | SOCK_CLOEXEC, 0)); });
  if (!made) give_up("socket");
  setsockopt(made.get(), SOL_SOCKET, SO_RCVTIMEO, &patience_of_sockets, sizeof patience_of_sockets);
  setsockopt(made.get(), SOL_SOCKET, SO_SNDTIMEO, &patience_of_sockets, sizeof patience_of_sockets);
  return made;
}

UniqueFd bound_socket(const Netns& netns, const std::string& address, uint16_t port, int type) {
  const Address local(address, port);
  UniqueFd made = make_socket(netns, local.family(), type);
  const int on = 1;
  setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(made.get(), local.get(), local.size()) != 0) give_up("bind to " + address);
  return made;
}

}  // namespace

UniqueFd listen_tcp(const Netns& netns, const std::string& address, uint16_t port) {
  UniqueFd listener = bound_socket(netns, address, port, SOCK_STREAM);
  if (listen(listener.get(), backlog) != 0) give_up("listen");
  return listener;
}

UniqueFd connect_tcp(const Netns& netns, const std::string& address, uint16_t port) {
  const Address remote(address, port);
  UniqueFd made = make_socket(netns, remote.family(), SOCK_STREAM);
  if (connect_to(made, remote) != 0) give_up("connect to " + address);
  return made;
}

int try_connect(const Netns& netns, const std::string& address, uint16_t port) {
  const Address remote(address, port);
  const UniqueFd made = make_socket(netns, remote.family(), SOCK_STREAM);
  return connect_to(made, remote) == 0 ? 0 : errno;
}

UniqueFd begin_connect(const Netns& netns, const std::string& address, uint16_t port) {
  const Address remote(address, port);
  UniqueFd made = make_socket(netns, remote.family(), SOCK_STREAM | SOCK_NONBLOCK);
  if (connect(made.get(), remote.get(), remote.size()) != 0 && errno != EINPROGRESS) give_up("connect");
  return made;
}

UniqueFd accept_tcp(const UniqueFd& listener) {
  UniqueFd accepted = accept_from(listener);
  if (!accepted) give_up("accept");
  return accepted;
}

void send_all(const UniqueFd& socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent =
        retried([&] { return ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); });
    if (sent < 0) give_up("send");
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

std::string receive(const UniqueFd& socket, size_t count) {
  std::string received;
  std::array<char, 65536> buffer;
  while (received.size() < count) {
    const size_t room = std::min(buffer.size(), count - received.size());
    const ssize_t got = retried([&] { return recv(socket.get(), buffer.data(), room, 0); });
    if (got < 0) give_up("recv");
    if (got == 0) break;
    received.append(buffer.data(), static_cast<size_t>(got));
  }
  return received;
}

std::string receive_all(const UniqueFd& socket) {
  return receive(socket, SIZE_MAX);
}

void TcpPair::transfer(const UniqueFd& from, const UniqueFd& to, size_t bytes) {
  std::thread sender([&] {
    try {
      send_all(from, std::string(bytes, 'x'));
    } catch (const std::runtime_error&) {
      shutdown(from.get(), SHUT_RDWR);  // the receiver notices
    }
  });
  std::string received;
  try {
    received = receive(to, bytes);
  } catch (...) {
    shutdown(to.get(), SHUT_RDWR);
    sender.join();
    throw;
  }
  sender.join();
  if (received.size() != bytes) throw std::runtime_error("the connection broke");
}

void TcpPair::close() {
  shutdown(client.get(), SHUT_WR);
  receive_all(server);
  server = UniqueFd();
  receive_all(client);
  client = UniqueFd();
}

TcpPair open_tcp(const Lab& lab, const std::string& address, uint16_t port) {
  return std::move(open_tcp(lab, address, port, 1).front());
}

std::vector<TcpPair> open_tcp(const Lab& lab, const std::string& address, uint16_t port, size_t connections) {
  const UniqueFd listener = listen_tcp(lab.server, address, port);
  std::vector<TcpPair> pairs(connections);
  for (TcpPair& pair : pairs) {
    pair.client = connect_tcp(lab.client, address, port);
    pair.server = accept_tcp(listener);
  }
  return pairs;
}

UniqueFd udp_socket(const Netns& netns, const std::string& address, uint16_t port) {
  return bound_socket(netns, address, port, SOCK_DGRAM);
}

void send_udp(const UniqueFd& socket, const std::string& address, uint16_t port, size_t bytes) {
  const Address remote(address, port);
  const std::string payload(bytes, 'x');
  const ssize_t sent =
      retried([&] { return sendto(socket.get(), payload.data(), bytes, 0, remote.get(), remote.size()); });
  if (sent != static_cast<ssize_t>(bytes)) give_up("sendto " + address);
}

size_t receive_udp(const UniqueFd& socket) {
  std::array<char, 65536> buffer;
  const ssize_t got = retried([&] { return recv(socket.get(), buffer.data(), buffer.size(), 0); });
  if (got < 0) give_up("recv of a datagram");
  return static_cast<size_t>(got);
}

void answer_udp(const UniqueFd& socket) {
  std::array<char, 65536> buffer;
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  auto* const peer = reinterpret_cast<sockaddr*>(&from);
  const ssize_t got = recvfrom(socket.get(), buffer.data(), buffer.size(), 0, peer, &size);
  if (got < 0) give_up("recvfrom");
  if (sendto(socket.get(), buffer.data(), static_cast<size_t>(got), 0, peer, size) != got) give_up("sendto");
}

FrameSender::FrameSender(const Netns& netns, const std::string& device) {
  netns.call([&] {
    socket_ = UniqueFd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    sockaddr_ll local{};
    local.sll_family = AF_PACKET;
    local.sll_ifindex = static_cast<int>(if_nametoindex(device.c_str()));
    if (!socket_ || bind(socket_.get(), reinterpret_cast<sockaddr*>(&local), sizeof local) != 0)
      give_up("cannot send frames from " + device);
  });
}

void FrameSender::send(const Bytes& frame) const {
  const ssize_t sent = retried([&] { return ::send(socket_.get(), frame.data(), frame.size(), 0); });
  if (sent != static_cast<ssize_t>(frame.size())) give_up("cannot send a frame");
}

WebServer::WebServer(const Netns& netns, uint16_t port, size_t bytes)
    : listener_(listen_tcp(netns, "::", port)), worker_([this, bytes] { serve(bytes); }) {}

WebServer::~WebServer() {
  stop_ = true;
  shutdown(listener_.get(), SHUT_RDWR);
  worker_.join();
}

void WebServer::serve(size_t bytes) const {
  while (!stop_) {
    const UniqueFd client = accept_from(listener_);
    if (!client) continue;  // nobody came for a while, or the listener was shut down
    std::array<char, 4096> request;
    if (retried([&] { return recv(client.get(), request.data(), request.size(), 0); }) <= 0) continue;
    try {
      send_all(client, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(bytes) +
                           "\r\n\r\n" + std::string(bytes, 'x'));
      shutdown(client.get(), SHUT_WR);
      receive_all(client);
    } catch (const std::runtime_error&) {  // the client left: its own test notices
    }
  }
}

HttpAnswer http_get(const Netns& netns, const std::string& address, uint16_t port, const std::string& path) {
  const UniqueFd connection = connect_tcp(netns, address, port);
  send_all(connection, "GET " + path + " HTTP/1.1\r\nHost: router\r\nConnection: close\r\n\r\n");
  const std::string answer = receive_all(connection);
  const size_t end = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.1 ") || end == std::string::npos) return {};
  return {std::stoi(answer.substr(9)), answer.substr(0, end), answer.substr(end + 4)};
}

}  // namespace xdpflowd::test
