// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/xdp_features.h"

#include <linux/genetlink.h>

#include <array>
#include <cerrno>
#include <optional>
#include <vector>

#include "service/netlink_attributes.h"
#include "service/netlink_socket.h"

namespace xdpflowd {
namespace {

// From <linux/netdev.h>, which the headers of Debian 12 (Linux 6.1) do not have yet.
constexpr uint8_t netdev_version = 1;
constexpr uint8_t netdev_dev_get = 1;
constexpr int netdev_ifindex = 1;
constexpr int netdev_xdp_features = 3;
constexpr uint64_t xdp_basic = 1U << 0;
constexpr uint64_t xdp_rx_sg = 1U << 5;

using Buffer = std::array<char, 256>;

nlmsghdr* put_header(Buffer& buffer, uint16_t family, uint16_t flags, uint8_t command, uint8_t version) {
  nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
  request->nlmsg_type = family;
  request->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
  auto* header = static_cast<genlmsghdr*>(mnl_nlmsg_put_extra_header(request, sizeof(genlmsghdr)));
  header->cmd = command;
  header->version = version;
  return request;
}

/// noexcept: libmnl is C. Only running out of memory could throw.
int take_family(const nlmsghdr* message, void* family) noexcept {
  for_each_attribute(message, sizeof(genlmsghdr), [&](int type, const nlattr* attribute) {
    if (type == CTRL_ATTR_FAMILY_ID) *static_cast<uint16_t*>(family) = mnl_attr_get_u16(attribute);
  });
  return MNL_CB_OK;
}

int take_device(const nlmsghdr* message, void* devices) noexcept {
  uint32_t ifindex = 0;
  uint64_t bits = 0;
  for_each_attribute(message, sizeof(genlmsghdr), [&](int type, const nlattr* attribute) {
    if (type == netdev_ifindex) ifindex = mnl_attr_get_u32(attribute);
    if (type == netdev_xdp_features) bits = mnl_attr_get_u64(attribute);
  });
  (*static_cast<std::map<uint32_t, XdpFeatures>*>(devices))[ifindex] = {(bits & xdp_basic) != 0,
                                                                        (bits & xdp_rx_sg) != 0};
  return MNL_CB_OK;
}

/// Sends `request` and takes in the whole answer.
Status exchange(mnl_socket* socket, const nlmsghdr* request, mnl_cb_t take, void* into) {
  if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
    return system_error(errno, "netlink request");
  std::vector<char> buffer(netlink_message_size);
  int more = MNL_CB_OK;
  while (more > MNL_CB_STOP) {
    const ssize_t received = mnl_socket_recvfrom(socket, buffer.data(), buffer.size());
    if (received < 0) return system_error(errno, "netlink answer");
    more = mnl_cb_run(buffer.data(), static_cast<size_t>(received), 0, mnl_socket_get_portid(socket), take,
                      into);
  }
  return more < 0 ? system_error(errno, "netlink answer") : ok();
}

}  // namespace

Result<std::map<uint32_t, XdpFeatures>> read_xdp_features() {
  const NetlinkSocket socket(mnl_socket_open(NETLINK_GENERIC));
  if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0)
    return system_error(errno, "netlink socket");
  Buffer buffer{};
  nlmsghdr* request = put_header(buffer, GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY, 1);
  mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, "netdev");
  uint16_t family = 0;
  if (auto found = exchange(socket.get(), request, take_family, &family); !found) return found.error();
  buffer = {};
  request = put_header(buffer, family, NLM_F_DUMP, netdev_dev_get, netdev_version);
  std::map<uint32_t, XdpFeatures> devices;
  if (auto read = exchange(socket.get(), request, take_device, &devices); !read) return read.error();
  return devices;
}

}  // namespace xdpflowd
