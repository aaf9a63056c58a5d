// SPDX-License-Identifier: GPL-2.0-or-later
// The flows with which tables are filled.
#pragma once

#include <arpa/inet.h>

#include <cstdint>
#include <string>

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

/// "1 flow", "100 000 flows", "4 M flows".
inline std::string flows_text(uint32_t flows) {
  if (flows >= 1'000'000) return std::to_string(flows / 1'000'000) + " M flows";
  if (flows >= 10'000) return std::to_string(flows / 1000) + " 000 flows";
  return std::to_string(flows) + (flows == 1 ? " flow" : " flows");
}

}  // namespace xdpflowd::bench
