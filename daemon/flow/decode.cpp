// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/decode.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "flow/names.h"

namespace xdpflowd {
namespace {

int64_t never_negative(uint64_t difference) {
  return std::max<int64_t>(0, static_cast<int64_t>(difference));
}

void append_dotted(std::string& out, uint32_t address) {
  char text[INET_ADDRSTRLEN];
  char* end = text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    end = std::to_chars(end, text + sizeof text, address >> shift & 0xff).ptr;
    if (shift > 0) *end++ = '.';
  }
  out.append(text, end);
}

}  // namespace

std::string_view Conversation::state_name() const {
  return name_in(state_names, state);
}
std::string_view Conversation::table_name() const {
  return name_in(table_names, table);
}

bool is_live(const xf_flow& flow) {
  return (flow.phase & 0xff) == XF_PHASE_LIVE;
}

Conversation decode_conversation(const xf_flow_key& key, const xf_status& status) {
  const bool high_started = status.flags & XF_FLOW_HIGH_STARTED;
  Conversation seen;
  seen.protocol = key.l4_proto;
  seen.source = high_started ? key.high : key.low;
  seen.destination = high_started ? key.low : key.high;
  seen.source_port = ntohs(high_started ? key.high_port : key.low_port);
  seen.destination_port = ntohs(high_started ? key.low_port : key.high_port);
  seen.state = static_cast<xf_state>(std::min<unsigned>(status.state, XF_STATES));
  seen.table = status.flags & XF_FLOW_ESTABLISHED ? XF_TABLE_ESTABLISHED : XF_TABLE_HALF_OPEN;
  seen.replied = status.flags & XF_FLOW_REPLIED;
  seen.swept = status.flags & XF_FLOW_ORPHAN;
  return seen;
}

Flow decode(const xf_flow_key& key, const xf_flow& flow, const DecodeContext& context) {
  const xf_status& status = flow.status;
  Flow seen{decode_conversation(key, status)};
  seen.zone = key.zone < XF_ZONES_MAX ? context.zone_names[key.zone] : std::string_view("unknown");
  seen.forward = flow.forward;
  seen.reverse = flow.reverse;
  seen.icmp_errors = flow.icmp_errors;

  const uint64_t timeout_ns = status.timeout < XF_TIMEOUT_SLOTS ? context.timeouts_ns[status.timeout] : 0;
  const uint64_t deadline_ns = flow.last_seen_ns + timeout_ns + context.coarse_lag_ns;
  seen.age_ns = never_negative(context.now_ns - flow.created_ns);
  seen.idle_ns = never_negative(context.now_ns - flow.last_seen_ns);
  seen.expires_in_ns = never_negative(deadline_ns - context.now_ns);
  return seen;
}

bool is_ipv4(const xf_addr& address) {
  return address.word[0] == 0 && address.word[1] == 0 && address.word[2] == htonl(0xffff);
}

void append_address(std::string& out, const xf_addr& address) {
  if (is_ipv4(address)) return append_dotted(out, ntohl(address.word[3]));
  char text[INET6_ADDRSTRLEN];
  out += inet_ntop(AF_INET6, &address, text, sizeof text);
}

}  // namespace xdpflowd
