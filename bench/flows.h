// SPDX-License-Identifier: GPL-2.0-or-later
// The flows with which tables are filled.
#pragma once

#include <arpa/inet.h>

#include <cstdint>

#include "xdpflow/abi.h"

namespace xdpflowd::bench {

constexpr uint32_t flow_server = 0xc6336401;  // 198.51.100.1
constexpr uint16_t flow_port = 40000, flow_server_port = 4433;

constexpr uint32_t flow_client(uint32_t number) {
  return 0x0a000000 + number;
}

/// UDP from 10.0.0.0 + number, port 40000, to 198.51.100.1, port 4433.
inline xf_flow_key flow_key(uint32_t number) {
  xf_flow_key key{};
  key.low.word[2] = key.high.word[2] = htonl(0xffff);
  key.low.word[3] = htonl(flow_client(number));
  key.high.word[3] = htonl(flow_server);
  key.low_port = htons(flow_port);
  key.high_port = htons(flow_server_port);
  key.l4_proto = IPPROTO_UDP;
  return key;
}

}  // namespace xdpflowd::bench
