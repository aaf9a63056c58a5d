// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/link_monitor.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace xdpflowd {
namespace {

Error netlink_error() {
  return system_error(errno, "cannot follow the network interfaces: netlink");
}

void put(LinkTable& table, Link link) {
  const auto known = std::ranges::find(table.links, link.ifindex, &Link::ifindex);
  if (known == table.links.end())
    table.links.push_back(std::move(link));
  else
    *known = std::move(link);
}

/// noexcept: libmnl is C. Only running out of memory could throw.
int take_in(const nlmsghdr* message, void* table) noexcept {
  // A bridge tells of its ports in messages of its own: one that leaves the bridge is not gone.
  const auto* header = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
  if (header->ifi_family != AF_UNSPEC) return MNL_CB_OK;
  auto& links = *static_cast<LinkTable*>(table);
  if (message->nlmsg_type == RTM_NEWLINK) put(links, link_of(message));
  if (message->nlmsg_type == RTM_DELLINK)
    std::erase_if(links.links,
                  [gone = link_of(message).ifindex](const Link& link) { return link.ifindex == gone; });
  return MNL_CB_OK;
}

}  // namespace

Result<LinkMonitor> LinkMonitor::open() {
  NetlinkSocket socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket || mnl_socket_bind(socket.get(), RTMGRP_LINK, MNL_SOCKET_AUTOPID) < 0) return netlink_error();
  LinkMonitor monitor(std::move(socket));
  if (auto read = monitor.reread(); !read) return read.error();
  return monitor;
}

int LinkMonitor::fd() const {
  return mnl_socket_get_fd(socket_.get());
}

Result<bool> LinkMonitor::update() {
  const auto before = table_;
  bool lost = false;
  for (;;) {
    const auto heard = receive();
    if (!heard) return heard.error();
    if (*heard == Heard::nothing_more) break;
    lost = lost || *heard == Heard::loss;
  }
  if (lost)
    if (auto read = reread(); !read) return read.error();
  return before.links != table_.links;
}

Result<LinkMonitor::Heard> LinkMonitor::receive() {
  std::vector<char> buffer(netlink_message_size);
  const ssize_t received = mnl_socket_recvfrom(socket_.get(), buffer.data(), buffer.size());
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) return Heard::nothing_more;
  if (received < 0 && errno == ENOBUFS) return Heard::loss;
  if (received < 0) return netlink_error();
  if (mnl_cb_run(buffer.data(), static_cast<size_t>(received), 0, 0, take_in, &table_) < 0)
    return netlink_error();
  return Heard::message;
}

Status LinkMonitor::reread() {
  auto table = read_links();
  if (!table) return table.error();
  table_ = std::move(*table);
  return ok();
}

}  // namespace xdpflowd
