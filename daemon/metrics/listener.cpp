// SPDX-License-Identifier: GPL-2.0-or-later
#include "metrics/listener.h"

#include <netdb.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <string_view>

namespace xdpflowd {
namespace {

// Kernel memory for what one client has not read yet; the connections inherit it. By default a thousand deaf
// clients could have gigabytes copied for them, and a scrape would wait for that.
constexpr int send_buffer_bytes = 64 * 1024;
constexpr rlim_t other_files = 1024;  // the pins of 64 zones, links, rings, logs: about 300, with slack

struct Endpoint {
  std::string host, port;
};

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

std::string key_and_value(const std::string& address) {
  return "[metrics] listen = \"" + address + "\"";
}

Error malformed(const std::string& address) {
  return usage_error(key_and_value(address) +
                     ": not an IP address and port; write it as \"127.0.0.1:9742\" or \"[::1]:9742\"");
}

std::optional<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return port;
}

/// "host:port" or "[host]:port"; a bare IPv6 address is ambiguous and refused.
Result<Endpoint> split(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return malformed(address);
  std::string host = address.substr(0, colon);
  std::string port = address.substr(colon + 1);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (bracketed != (host.find(':') != std::string::npos) || !parse_port(port)) return malformed(address);
  return Endpoint{host, port};
}

Result<AddressList> resolve(const std::string& address) {
  auto endpoint = split(address);
  if (!endpoint) return endpoint.error();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(endpoint->host.c_str(), endpoint->port.c_str(), &hints, &found) != 0)
    return malformed(address);
  return AddressList(found, &freeaddrinfo);
}

Error cannot_listen(const std::string& address) {
  Error error = system_error(errno, key_and_value(address));
  if (error.code == EADDRINUSE)
    error.message += "; another program has this port: stop it or choose another port";
  if (error.code == EADDRNOTAVAIL) error.message += "; no interface of this machine has this address";
  if (error.code == EACCES) error.message += "; ports below 1024 need CAP_NET_BIND_SERVICE";
  return error;
}

}  // namespace

Result<UniqueFd> listen_on(const std::string& address) {
  auto list = resolve(address);
  if (!list) return list.error();
  const addrinfo& local = **list;
  UniqueFd socket(::socket(local.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  // A daemon killed a moment ago leaves connections in TIME_WAIT, which must not keep the next one out.
  const int on = 1;
  if (!socket || setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
      setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &send_buffer_bytes, sizeof(send_buffer_bytes)) != 0 ||
      bind(socket.get(), local.ai_addr, local.ai_addrlen) != 0 || ::listen(socket.get(), SOMAXCONN) != 0)
    return cannot_listen(address);
  return socket;
}

uint16_t local_port(const UniqueFd& socket) {
  sockaddr_storage local{};
  socklen_t size = sizeof(local);
  auto* address = reinterpret_cast<sockaddr*>(&local);
  std::array<char, sizeof("65535")> text{};
  if (getsockname(socket.get(), address, &size) == 0)
    getnameinfo(address, size, nullptr, 0, text.data(), text.size(), NI_NUMERICSERV);
  return parse_port(text.data()).value_or(0);
}

unsigned make_room_for_connections(unsigned wanted) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < wanted + other_files) {
    files.rlim_cur = std::min<rlim_t>(wanted + other_files, files.rlim_max);
    setrlimit(RLIMIT_NOFILE, &files);
  }
  const rlim_t room = files.rlim_cur > 2 * other_files ? files.rlim_cur - other_files : files.rlim_cur / 2;
  return static_cast<unsigned>(std::min<rlim_t>(wanted, room));
}

}  // namespace xdpflowd
