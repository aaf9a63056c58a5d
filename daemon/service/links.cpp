// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/links.h"

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "service/netlink_attributes.h"
#include "service/netlink_socket.h"

namespace xdpflowd {
namespace {

void read_vlan_data(const nlattr* data, Link& link) {
  for_each_nested(data, [&](int type, const nlattr* attribute) {
    if (type == IFLA_VLAN_ID) link.vlan_id = mnl_attr_get_u16(attribute);
  });
}

void read_link_info(const nlattr* info, Link& link) {
  const nlattr* data = nullptr;
  for_each_nested(info, [&](int type, const nlattr* attribute) {
    if (type == IFLA_INFO_KIND) link.kind = mnl_attr_get_str(attribute);
    if (type == IFLA_INFO_DATA) data = attribute;
  });
  if (data != nullptr && link.kind == "vlan") read_vlan_data(data, link);
}

void read_xdp(const nlattr* xdp, Link& link) {
  for_each_nested(xdp, [&](int type, const nlattr* attribute) {
    if (type == IFLA_XDP_DRV_PROG_ID || type == IFLA_XDP_SKB_PROG_ID || type == IFLA_XDP_HW_PROG_ID)
      link.xdp += mnl_attr_get_u32(attribute);
  });
}

void read_mac(const nlattr* attribute, Link& link) {
  if (mnl_attr_get_payload_len(attribute) != link.mac.size()) return;
  std::memcpy(link.mac.data(), mnl_attr_get_payload(attribute), link.mac.size());
}

void read_attribute(int type, const nlattr* attribute, Link& link) {
  switch (type) {
    case IFLA_IFNAME:
      link.name = mnl_attr_get_str(attribute);
      break;
    case IFLA_ADDRESS:
      read_mac(attribute, link);
      break;
    case IFLA_MTU:
      link.mtu = mnl_attr_get_u32(attribute);
      break;
    case IFLA_MASTER:
      link.master = mnl_attr_get_u32(attribute);
      break;
    case IFLA_LINK:
      link.lower = mnl_attr_get_u32(attribute);
      break;
    case IFLA_LINKINFO:
      read_link_info(attribute, link);
      break;
    case IFLA_XDP:
      read_xdp(attribute, link);
      break;
    default:
      break;
  }
}

/// noexcept: libmnl is C. Only running out of memory could throw.
int collect_link(const nlmsghdr* message, void* links) noexcept {
  static_cast<std::vector<Link>*>(links)->push_back(link_of(message));
  return MNL_CB_OK;
}

Status send_request(mnl_socket* socket) {
  std::array<char, 256> buffer{};
  nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
  request->nlmsg_type = RTM_GETLINK;
  request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  mnl_nlmsg_put_extra_header(request, sizeof(ifinfomsg));
  if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
    return system_error(errno, "netlink request");
  return ok();
}

Result<LinkTable> dump(mnl_socket* socket) {
  if (auto sent = send_request(socket); !sent) return sent.error();
  LinkTable table;
  std::vector<char> buffer(netlink_message_size);
  int more = MNL_CB_OK;
  while (more > MNL_CB_STOP) {
    const ssize_t received = mnl_socket_recvfrom(socket, buffer.data(), buffer.size());
    if (received < 0) return system_error(errno, "netlink answer");
    more = mnl_cb_run(buffer.data(), static_cast<size_t>(received), 0, mnl_socket_get_portid(socket),
                      collect_link, &table.links);
  }
  if (more < 0) return system_error(errno, "netlink answer");
  return table;
}

Result<LinkTable> read_once() {
  const NetlinkSocket socket(mnl_socket_open(NETLINK_ROUTE));
  if (!socket) return system_error(errno, "netlink socket");
  if (mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) return system_error(errno, "netlink socket");
  return dump(socket.get());
}

}  // namespace

Link link_of(const nlmsghdr* message) {
  const auto* header = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
  Link link;
  link.ifindex = static_cast<uint32_t>(header->ifi_index);
  link.up = (header->ifi_flags & IFF_UP) != 0;
  link.carrier = (header->ifi_flags & IFF_LOWER_UP) != 0;
  link.loopback = (header->ifi_flags & IFF_LOOPBACK) != 0;
  bool lower_is_elsewhere = false;
  for_each_attribute(message, sizeof(ifinfomsg), [&](int type, const nlattr* attribute) {
    read_attribute(type, attribute, link);
    if (type == IFLA_LINK_NETNSID) lower_is_elsewhere = true;  // IFLA_LINK is an index of that namespace
  });
  if (lower_is_elsewhere) link.lower = 0;
  return link;
}

const Link* LinkTable::find(std::string_view name) const {
  const auto found = std::ranges::find(links, name, &Link::name);
  return found == links.end() ? nullptr : &*found;
}

const Link* LinkTable::find(uint32_t ifindex) const {
  const auto found = std::ranges::find(links, ifindex, &Link::ifindex);
  return found == links.end() ? nullptr : &*found;
}

Result<LinkTable> read_links() {
  auto table = read_once();
  for (int attempts = 1; !table && table.error().code == EINTR && attempts < 10; ++attempts) {
    table = read_once();  // EINTR: the devices changed during the dump
  }
  if (!table) return in_context(table.error(), "cannot list the network interfaces");
  return table;
}

}  // namespace xdpflowd
