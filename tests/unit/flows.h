// SPDX-License-Identifier: GPL-2.0-or-later
// Flows as the data plane writes them, in words.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <string>

#include "flow/decode.h"

namespace xdpflowd::test {

constexpr uint64_t second_ns = 1'000'000'000;

inline xf_addr address(const std::string& text) {
  xf_addr result{};
  const bool dotted = text.find(':') == std::string::npos;
  EXPECT_EQ(inet_pton(AF_INET6, ((dotted ? "::ffff:" : "") + text).c_str(), &result), 1) << text;
  return result;
}

inline xf_flow_key key_of(uint8_t protocol, const std::string& low, uint16_t low_port,
                          const std::string& high, uint16_t high_port) {
  xf_flow_key key{};
  key.low = address(low);
  key.high = address(high);
  key.low_port = htons(low_port);
  key.high_port = htons(high_port);
  key.l4_proto = protocol;
  return key;
}

inline xf_status status_of(xf_state state, xf_timeout timeout, unsigned flags) {
  xf_status status{};
  status.state = state;
  status.timeout = timeout;
  status.flags = static_cast<__u16>(flags);
  return status;
}

/// An established TCP flow from 192.0.2.1:40000 to 198.51.100.7:443.
inline Flow tcp_flow() {
  Flow flow;
  flow.zone = "default";
  flow.protocol = IPPROTO_TCP;
  flow.source = address("192.0.2.1");
  flow.destination = address("198.51.100.7");
  flow.source_port = 40000;
  flow.destination_port = 443;
  flow.state = XF_STATE_ESTABLISHED;
  flow.table = XF_TABLE_ESTABLISHED;
  flow.replied = true;
  return flow;
}

}  // namespace xdpflowd::test
