// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/own_ports.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>

#include "xdpflow/abi.h"

namespace xdpflowd {
namespace {

// Below the range from which the kernel gives out ports by default, above those of well-known services.
constexpr uint16_t lowest = 10'000, highest = 32'768 - XF_OWN_PORTS;
constexpr int attempts = 64;

bool bind_to(const UniqueFd& socket, int family, uint16_t port) {
  if (family == AF_INET) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    return bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  sockaddr_in6 address{};  // of both families
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  return bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

/// Else what the XDP program has seen already would fill the socket.
bool drop_everything(const UniqueFd& socket) {
  sock_filter nothing{BPF_RET | BPF_K, 0, 0, 0};
  const sock_fprog filter{1, &nothing};
  return setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

UniqueFd reserve_one(int family, int type, uint16_t port) {
  UniqueFd socket(::socket(family, type | SOCK_CLOEXEC, 0));
  const int no = 0;
  if (!socket) return {};
  if (family == AF_INET6) setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  if (type == SOCK_DGRAM && !drop_everything(socket)) return {};
  return bind_to(socket, family, port) ? std::move(socket) : UniqueFd();
}

std::optional<std::vector<UniqueFd>> reserve_all(int family, uint16_t first) {
  std::vector<UniqueFd> sockets;
  for (uint16_t i = 0; i < XF_OWN_PORTS; ++i)
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
      sockets.push_back(reserve_one(family, type, static_cast<uint16_t>(first + i)));
      if (!sockets.back()) return std::nullopt;
    }
  return sockets;
}

uint16_t any_first() {
  uint16_t random = 0;
  if (getrandom(&random, sizeof random, 0) != sizeof random) random = 0;
  return static_cast<uint16_t>(lowest + random % (highest - lowest));
}

}  // namespace

Result<OwnPorts> OwnPorts::reserve(uint16_t wanted) {
  const int family = UniqueFd(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)) ? AF_INET6 : AF_INET;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const uint16_t first = wanted != 0 && attempt == 0 ? wanted : any_first();
    if (auto sockets = reserve_all(family, first)) return OwnPorts(first, std::move(*sockets));
  }
  return system_error(errno, "cannot reserve " + std::to_string(XF_OWN_PORTS) + " ports for probes");
}

}  // namespace xdpflowd
