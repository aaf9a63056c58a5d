// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack_table.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sched.h>

#include <array>
#include <cerrno>
#include <fstream>

#include "flows.h"

namespace xdpflowd::bench {
namespace {

constexpr size_t batch_bytes = 32 * 1024, longest_message = 512;

uint32_t read_sysctl(const std::string& name) {
  std::ifstream file("/proc/sys/net/netfilter/" + name);
  uint32_t value = 0;
  file >> value;
  return value;
}

void put_tuple(nlmsghdr* message, uint16_t kind, uint32_t number, bool reply) {
  nlattr* tuple = mnl_attr_nest_start(message, kind);
  nlattr* ip = mnl_attr_nest_start(message, CTA_TUPLE_IP);
  mnl_attr_put_u32(message, reply ? CTA_IP_V4_DST : CTA_IP_V4_SRC, htonl(flow_client(number)));
  mnl_attr_put_u32(message, reply ? CTA_IP_V4_SRC : CTA_IP_V4_DST, htonl(flow_server));
  mnl_attr_nest_end(message, ip);
  nlattr* protocol = mnl_attr_nest_start(message, CTA_TUPLE_PROTO);
  mnl_attr_put_u8(message, CTA_PROTO_NUM, IPPROTO_UDP);
  mnl_attr_put_u16(message, reply ? CTA_PROTO_DST_PORT : CTA_PROTO_SRC_PORT, htons(flow_port));
  mnl_attr_put_u16(message, reply ? CTA_PROTO_SRC_PORT : CTA_PROTO_DST_PORT, htons(flow_server_port));
  mnl_attr_nest_end(message, protocol);
  mnl_attr_nest_end(message, tuple);
}

size_t put_flow(char* place, uint32_t number, uint32_t timeout_s) {
  nlmsghdr* message = mnl_nlmsg_put_header(place);
  message->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL;
  auto* family = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(nfgenmsg)));
  family->nfgen_family = AF_INET;
  family->version = NFNETLINK_V0;
  put_tuple(message, CTA_TUPLE_ORIG, number, false);
  put_tuple(message, CTA_TUPLE_REPLY, number, true);
  mnl_attr_put_u32(message, CTA_STATUS, htonl(IPS_SEEN_REPLY | IPS_ASSURED | IPS_CONFIRMED));
  mnl_attr_put_u32(message, CTA_TIMEOUT, htonl(timeout_s));
  return message->nlmsg_len;
}

}  // namespace

Result<ConntrackTable> ConntrackTable::make() {
  if (unshare(CLONE_NEWNET)) return system_error(errno, "cannot make a network namespace");
  Socket socket(mnl_socket_open(NETLINK_NETFILTER), mnl_socket_close);
  if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0)
    return system_error(errno, "no netlink socket of netfilter");
  if (limit() == 0) return fail("this kernel has no nf_conntrack");
  return ConntrackTable(std::move(socket));
}

Status ConntrackTable::fill(uint32_t flows, const std::function<uint32_t(uint32_t)>& timeout_of) const {
  std::array<char, batch_bytes> batch{};
  size_t used = 0;
  for (uint32_t number = 0; number < flows; number++) {
    used += put_flow(batch.data() + used, number, timeout_of(number));
    if (used + longest_message <= batch.size() && number + 1 < flows) continue;
    if (mnl_socket_sendto(socket_.get(), batch.data(), used) < 0)
      return system_error(errno, "cannot fill nf_conntrack");
    used = 0;
  }
  if (count() < flows)
    return fail("nf_conntrack took " + std::to_string(count()) + " of " + std::to_string(flows) + " flows");
  return ok();
}

uint32_t ConntrackTable::count() const {
  return read_sysctl("nf_conntrack_count");
}

uint32_t ConntrackTable::limit() {
  return read_sysctl("nf_conntrack_max");
}

}  // namespace xdpflowd::bench
