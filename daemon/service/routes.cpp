// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/routes.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "flow/decode.h"
#include "service/netlink_attributes.h"

namespace xdpflowd {
namespace {

bool is_unset(const xf_addr& address) {
  return (address.word[0] | address.word[1] | address.word[2] | address.word[3]) == 0;
}

uint8_t family_of(const xf_addr& address) {
  return is_ipv4(address) ? AF_INET : AF_INET6;
}

void put_address(nlmsghdr* message, uint16_t type, const xf_addr& address) {
  if (is_ipv4(address))
    mnl_attr_put(message, type, sizeof address.word[3], &address.word[3]);
  else
    mnl_attr_put(message, type, sizeof address, &address);
}

xf_addr read_address(const nlattr* attribute) {
  xf_addr address{};
  if (mnl_attr_get_payload_len(attribute) == sizeof address) {
    std::memcpy(&address, mnl_attr_get_payload(attribute), sizeof address);
  } else {
    address.word[2] = htonl(0xffff);
    std::memcpy(&address.word[3], mnl_attr_get_payload(attribute), sizeof address.word[3]);
  }
  return address;
}

xf_addr address_of(const sockaddr& socket) {
  xf_addr address{};
  if (socket.sa_family == AF_INET6)
    std::memcpy(&address, &reinterpret_cast<const sockaddr_in6&>(socket).sin6_addr, sizeof address);
  if (socket.sa_family != AF_INET) return address;
  address.word[2] = htonl(0xffff);
  address.word[3] = reinterpret_cast<const sockaddr_in&>(socket).sin_addr.s_addr;
  return address;
}

using Request = std::array<char, 256>;

template <class Header>
Header* begin(Request& request, uint16_t type, uint16_t flags) {
  nlmsghdr* message = mnl_nlmsg_put_header(request.data());
  message->nlmsg_type = type;
  message->nlmsg_flags = NLM_F_REQUEST | flags;
  return static_cast<Header*>(mnl_nlmsg_put_extra_header(message, sizeof(Header)));
}

nlmsghdr* message_of(Request& request) {
  return reinterpret_cast<nlmsghdr*>(request.data());
}

/// Sends a request and calls `visit` with the one answer; an error of the kernel's is the code of the
/// result's.
template <class Visit>
Status ask(mnl_socket* socket, const nlmsghdr* request, Visit visit) {
  if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
    return system_error(errno, "netlink request");
  std::vector<char> buffer(netlink_message_size);
  const ssize_t received = mnl_socket_recvfrom(socket, buffer.data(), buffer.size());
  if (received < 0) return system_error(errno, "netlink answer");
  const auto* answer = reinterpret_cast<const nlmsghdr*>(buffer.data());
  if (answer->nlmsg_type != NLMSG_ERROR) {
    visit(answer);
    return ok();
  }
  const auto* error = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(answer));
  return error->error == 0 ? ok() : system_error(error->error, "netlink");
}

/// What the kernel answers where no packet can be sent.
bool means_no_route(int code) {
  return code == ENETUNREACH || code == EHOSTUNREACH || code == EACCES || code == EINVAL || code == ENODEV ||
         code == EADDRNOTAVAIL;
}

Route route_in(const nlmsghdr* answer) {
  const auto* header = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(answer));
  Route route;
  route.local = header->rtm_type == RTN_LOCAL;
  for_each_attribute(answer, sizeof(rtmsg), [&](int type, const nlattr* attribute) {
    if (type == RTA_OIF) route.ifindex = mnl_attr_get_u32(attribute);
    if (type == RTA_PREFSRC) route.source = read_address(attribute);
  });
  if (header->rtm_type != RTN_UNICAST && header->rtm_type != RTN_LOCAL) route.ifindex = 0;
  return route;
}

Neighbour neighbour_in(const nlmsghdr* answer) {
  const auto* header = static_cast<const ndmsg*>(mnl_nlmsg_get_payload(answer));
  if (header->ndm_state & NUD_FAILED) return Neighbour::failed;
  if (header->ndm_state & NUD_INCOMPLETE) return Neighbour::resolving;
  return header->ndm_state == NUD_NONE ? Neighbour::absent : Neighbour::valid;
}

}  // namespace

bool is_own_address(const xf_addr& address) {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return true;  // the kernel refuses what is not
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> all(first, freeifaddrs);
  for (const ifaddrs* each = first; each != nullptr; each = each->ifa_next) {
    if (!each->ifa_addr) continue;
    const xf_addr own = address_of(*each->ifa_addr);
    if (std::memcmp(&own, &address, sizeof own) == 0) return true;
  }
  return false;
}

Result<Routes> Routes::open() {
  NetlinkSocket socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
  if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0)
    return system_error(errno, "cannot ask for routes: netlink socket");
  return Routes(std::move(socket));
}

Result<std::optional<Route>> Routes::find(const xf_addr& to, const xf_addr& source, uint32_t oif) const {
  Request request{};
  auto* header = begin<rtmsg>(request, RTM_GETROUTE, 0);
  header->rtm_family = family_of(to);
  header->rtm_dst_len = is_ipv4(to) ? 32 : 128;
  put_address(message_of(request), RTA_DST, to);
  if (!is_unset(source)) {
    header->rtm_src_len = header->rtm_dst_len;
    put_address(message_of(request), RTA_SRC, source);
  }
  if (oif != 0) mnl_attr_put_u32(message_of(request), RTA_OIF, oif);
  Route route;
  auto asked =
      ask(socket_.get(), message_of(request), [&](const nlmsghdr* answer) { route = route_in(answer); });
  if (!asked && !means_no_route(asked.error().code))
    return in_context(asked.error(), "cannot ask for a route");
  if (!asked || route.ifindex == 0) return std::optional<Route>();
  if (!is_unset(source)) route.source = source;
  return std::optional(route);
}

Result<Neighbour> Routes::neighbour(uint32_t ifindex, const xf_addr& address) const {
  Request request{};
  auto* header = begin<ndmsg>(request, RTM_GETNEIGH, 0);
  header->ndm_family = family_of(address);
  header->ndm_ifindex = static_cast<int>(ifindex);
  put_address(message_of(request), NDA_DST, address);
  auto state = Neighbour::absent;
  auto asked =
      ask(socket_.get(), message_of(request), [&](const nlmsghdr* answer) { state = neighbour_in(answer); });
  if (asked || asked.error().code == ENOENT) return state;
  return in_context(asked.error(), "cannot ask for a neighbour");
}

Status Routes::use_neighbour(uint32_t ifindex, const xf_addr& address) const {
  Request request{};
  auto* header = begin<ndmsg>(request, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK);
  header->ndm_family = family_of(address);
  header->ndm_ifindex = static_cast<int>(ifindex);
  header->ndm_state = NUD_NONE;
  header->ndm_flags = NTF_USE;
  put_address(message_of(request), NDA_DST, address);
  auto asked = ask(socket_.get(), message_of(request), [](const nlmsghdr*) {});
  return asked ? asked : Status(in_context(asked.error(), "cannot have a neighbour resolved"));
}

}  // namespace xdpflowd
