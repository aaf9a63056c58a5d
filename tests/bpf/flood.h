// SPDX-License-Identifier: GPL-2.0-or-later
// Many packets that differ in one address, fast enough for floods.
#pragma once

#include <cstdint>

#include "support/packet_builder.h"

namespace xdpflowd::test {

/// An untagged IPv4 packet with one address replaced. The addresses of two numbers are never the same, and
/// look random.
class Template {
 public:
  enum class Side : size_t { source = 26, destination = 30 };  // offset in the frame

  Template(const Packet& packet, Side side) : frame_(packet.frame()), offset_(static_cast<size_t>(side)) {}

  const Bytes& numbered(uint32_t number) {
    const uint32_t address = number * 2654435761U;  // odd: no two numbers give the same
    for (size_t i = 0; i < 4; i++) frame_[offset_ + i] = static_cast<uint8_t>(address >> (24 - 8 * i));
    return frame_;
  }

 private:
  Bytes frame_;
  size_t offset_;
};

}  // namespace xdpflowd::test
