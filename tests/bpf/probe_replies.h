// SPDX-License-Identifier: GPL-2.0-or-later
// What others answer to a probe, made of the probe's own bytes.
#pragma once

#include <algorithm>
#include <cstdint>

#include "support/packet_builder.h"

namespace xdpflowd::test {

constexpr size_t l3 = 14;

inline bool is_ipv6(const Bytes& frame) {
  return frame.at(12) == 0x86;
}
inline size_t l4_of(const Bytes& frame) {
  return l3 + (is_ipv6(frame) ? 40 : 20);
}
inline uint16_t read16(const Bytes& frame, size_t at) {
  return static_cast<uint16_t>(frame.at(at) << 8 | frame.at(at + 1));
}
inline uint32_t read32(const Bytes& frame, size_t at) {
  return static_cast<uint32_t>(read16(frame, at)) << 16 | read16(frame, at + 2);
}
inline void write32(Bytes& frame, size_t at, uint32_t value) {
  for (size_t i = 0; i < 4; ++i) frame.at(at + i) = static_cast<uint8_t>(value >> (24 - 8 * i));
}

/// The ones' complement sum of RFC 1071; 0xffff for bytes that hold their right checksum.
inline uint16_t ones_sum(const Bytes& bytes, size_t from, size_t to, uint32_t sum = 0) {
  for (size_t i = from; i < to; i += 2)
    sum += static_cast<uint32_t>(bytes.at(i) << 8 | (i + 1 < to ? bytes[i + 1] : 0));
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

/// Of the transport header with its pseudo-header: 0xffff if the checksum is right.
inline uint16_t transport_sum(const Bytes& frame, uint8_t protocol) {
  const bool ipv6 = is_ipv6(frame);
  const size_t l4 = l4_of(frame), addresses = l3 + (ipv6 ? 8 : 12);
  const size_t length = ipv6 ? read16(frame, l3 + 4) : read16(frame, l3 + 2) - 20U;
  const uint32_t pseudo = ones_sum(frame, addresses, l4, static_cast<uint32_t>(protocol + length));
  return ones_sum(frame, l4, l4 + length, protocol == 1 ? 0 : pseudo);
}

/// The addresses of both layers change places.
inline Bytes turned(Bytes frame) {
  std::swap_ranges(frame.begin(), frame.begin() + 6, frame.begin() + 6);
  const auto source = frame.begin() + static_cast<ptrdiff_t>(l3 + (is_ipv6(frame) ? 8 : 12));
  const ptrdiff_t size = is_ipv6(frame) ? 16 : 4;
  std::swap_ranges(source, source + size, source + size);
  return frame;
}

inline Bytes echo_reply(const Bytes& probe) {
  Bytes reply = turned(probe);
  reply.at(l4_of(reply)) = is_ipv6(probe) ? 129 : 0;
  return reply;
}

/// To a SYN.
inline Bytes tcp_reply(const Bytes& probe, uint8_t flags) {
  Bytes reply = turned(probe);
  const size_t l4 = l4_of(reply);
  std::swap_ranges(reply.begin() + static_cast<ptrdiff_t>(l4), reply.begin() + static_cast<ptrdiff_t>(l4 + 2),
                   reply.begin() + static_cast<ptrdiff_t>(l4 + 2));
  write32(reply, l4 + 4, 7777);
  write32(reply, l4 + 8, read32(probe, l4 + 4) + 1);
  reply.at(l4 + 13) = flags;
  return reply;
}

inline Bytes udp_reply(const Bytes& probe, const std::string& payload = "") {
  Bytes reply = turned(probe);
  const size_t l4 = l4_of(reply);
  std::swap_ranges(reply.begin() + static_cast<ptrdiff_t>(l4), reply.begin() + static_cast<ptrdiff_t>(l4 + 2),
                   reply.begin() + static_cast<ptrdiff_t>(l4 + 2));
  reply.resize(l4 + 8);
  reply.insert(reply.end(), payload.begin(), payload.end());
  const auto length = static_cast<uint16_t>(8 + payload.size());
  reply.at(l4 + 4) = static_cast<uint8_t>(length >> 8);
  reply.at(l4 + 5) = static_cast<uint8_t>(length);
  const auto total = static_cast<uint16_t>(length + (is_ipv6(probe) ? 0 : 20));
  reply.at(l3 + (is_ipv6(probe) ? 4 : 2)) = static_cast<uint8_t>(total >> 8);
  reply.at(l3 + (is_ipv6(probe) ? 5 : 3)) = static_cast<uint8_t>(total);
  return reply;
}

/// An ICMP error of `type` and `code` from a router, quoting the whole probe.
inline Bytes icmp_error(const Bytes& probe, uint8_t type, uint8_t code = 0) {
  const bool ipv6 = is_ipv6(probe);
  Bytes error(probe.begin(), probe.begin() + static_cast<ptrdiff_t>(l4_of(probe)));
  error = turned(error);
  error.at(l3 + (ipv6 ? 6 : 9)) = ipv6 ? 58 : 1;
  const auto inner = static_cast<uint16_t>(probe.size() - l3 + 8);
  const auto total = static_cast<uint16_t>(inner + (ipv6 ? 0 : 20));
  error.at(l3 + (ipv6 ? 4 : 2)) = static_cast<uint8_t>(total >> 8);
  error.at(l3 + (ipv6 ? 5 : 3)) = static_cast<uint8_t>(total);
  const Bytes head{type, code, 0, 0, 0, 0, 0, 0};
  error.insert(error.end(), head.begin(), head.end());
  error.insert(error.end(), probe.begin() + l3, probe.end());
  return error;
}

}  // namespace xdpflowd::test
