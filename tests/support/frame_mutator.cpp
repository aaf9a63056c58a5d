// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/frame_mutator.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace xdpflowd::test {
namespace {

constexpr size_t ethernet_header = 14;  // BPF_PROG_RUN takes no less
constexpr size_t longest = 1536;

constexpr uint8_t hop_by_hop = 0, routing = 43, fragment = 44, authentication = 51, options = 60;

/// Bytes that mean something somewhere in a header.
constexpr std::array<uint8_t, 20> telling{0x00,           0x01, 0x02, 0x03, 0x06, 0x08, 0x0f,
                                          0x11,           0x29, 0x2b, 0x3a, 0x45, 0x60, fragment,
                                          authentication, 0x7f, 0x80, 0x81, 0xdd, 0xff};

std::vector<Packet> plain_packets() {
  return {
      tcp().syn(),
      tcp().syn().reversed().ack(),
      tcp().ack().payload(20),
      tcp().fin().ack(),
      tcp().rst(),
      tcp().syn().tcp_options(10),
      tcp().syn().ipv4_options(3),
      tcp().ack().vlan(10),
      tcp().ack().vlan(10, 0x88a8).vlan(20),
      udp().payload(30),
      udp().payload(64).udp_length(3000).fragment(0, true),
      udp().payload(64).fragment(1480, true),
      icmp(),
      icmp().icmp_type(13).payload(12),
      ip_protocol(47).payload(24),
      udp().payload(1).padding(17),
  };
}

std::vector<Packet> ipv6_packets() {
  return {
      tcp6().syn(),
      tcp6().ack().payload(20),
      udp6().payload(30),
      icmpv6(),
      icmpv6().icmp_type(135).payload(20),
      tcp6().syn().extension(hop_by_hop),
      udp6().extension(hop_by_hop).extension(routing, 2).extension(options, 1).extension(authentication, 2),
      udp6().payload(64).udp_length(3000).fragment(0, true),
      udp6().payload(64).fragment(1448, false),
      tcp6().ack().extension(options).vlan(30),
  };
}

std::vector<Packet> errors() {
  const auto about = [](const Packet& cause, size_t bytes) {
    return icmp().icmp_type(3).from("203.0.113.1").to("192.0.2.1").quoting(cause, bytes);
  };
  const auto about6 = [](const Packet& cause, size_t bytes) {
    return icmpv6().icmp_type(1).from("2001:db8::ff").to("2001:db8::1").quoting(cause, bytes);
  };
  return {
      about(udp(), 8),
      about(tcp().ack().payload(40), 40),
      about(icmp(), 8),
      about(udp().ipv4_options(4), 8),
      about6(udp6(), 8),
      about6(tcp6().syn().extension(hop_by_hop).extension(options, 2), 48),
      about6(udp6().payload(64).fragment(1448, false), 16),
      about6(icmpv6(), 8),
  };
}

std::vector<Bytes> valid_frames() {
  std::vector<Bytes> frames{arp_request()};
  for (const auto& packets : {plain_packets(), ipv6_packets(), errors()})
    for (const auto& packet : packets) frames.push_back(packet.frame());
  return frames;
}

uint64_t number_from(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::stoull(text);
}

}  // namespace

FrameMutator::FrameMutator(uint32_t seed) : random_(seed), valid_(valid_frames()) {}

Bytes FrameMutator::next() {
  if (below(16) == 0) return noise();
  Bytes frame = valid_[below(valid_.size())];
  for (uint32_t left = below(5); left > 0; --left) mutate(frame);
  frame.resize(std::clamp(frame.size(), ethernet_header, longest));
  return frame;
}

/// Half of it claims to be IP, so that more than its first bytes is looked at.
Bytes FrameMutator::noise() {
  Bytes frame(ethernet_header + below(200));
  for (auto& byte : frame) byte = static_cast<uint8_t>(below(256));
  static constexpr std::array<std::array<uint8_t, 3>, 2> ip{{{0x08, 0x00, 0x45}, {0x86, 0xdd, 0x60}}};
  if (frame.size() > ethernet_header && below(2) == 0)
    std::ranges::copy(ip[below(ip.size())], frame.begin() + ethernet_header - 2);
  return frame;
}

void FrameMutator::mutate(Bytes& frame) {
  auto& byte = frame[below(frame.size())];
  switch (below(8)) {
    case 0:
      byte ^= static_cast<uint8_t>(1U << below(8));
      return;
    case 1:
      byte = static_cast<uint8_t>(below(256));
      return;
    case 2:
    case 3:
      byte = telling[below(telling.size())];
      return;
    case 4:
      return set_word(frame);
    case 5:
      return cut(frame);
    case 6:
      return repeat_part(frame);
    default:
      return graft(frame);
  }
}

/// A number of two bytes, as lengths are: small, huge, or what is there and a little more or less.
void FrameMutator::set_word(Bytes& frame) {
  if (frame.size() < 2) return;
  const size_t at = below(frame.size() - 1);
  const auto before = static_cast<uint16_t>(frame[at] << 8 | frame[at + 1]);
  const std::array<uint16_t, 4> choice{
      static_cast<uint16_t>(below(64)), static_cast<uint16_t>(0xffff - below(64)),
      static_cast<uint16_t>(before + below(16)), static_cast<uint16_t>(before - below(16))};
  const uint16_t word = choice[below(choice.size())];
  frame[at] = static_cast<uint8_t>(word >> 8);
  frame[at + 1] = static_cast<uint8_t>(word);
}

void FrameMutator::cut(Bytes& frame) {
  frame.resize(std::max<size_t>(1, below(frame.size() + 1)));
}

void FrameMutator::repeat_part(Bytes& frame) {
  const size_t from = below(frame.size()), count = 1 + below(std::min<size_t>(40, frame.size() - from));
  const Bytes part(frame.begin() + static_cast<long>(from), frame.begin() + static_cast<long>(from + count));
  frame.insert(frame.begin() + below(frame.size() + 1), part.begin(), part.end());
}

/// The end of another frame in place of this one's.
void FrameMutator::graft(Bytes& frame) {
  const Bytes& other = valid_[below(valid_.size())];
  const size_t from = below(other.size());
  frame.resize(std::max<size_t>(1, below(frame.size() + 1)));
  frame.insert(frame.end(), other.begin() + static_cast<long>(from), other.end());
}

std::string hex(const Bytes& frame) {
  static constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : frame) text += {digits[byte >> 4], digits[byte & 15]};
  return text;
}

uint32_t seed_of_this_run() {
  return static_cast<uint32_t>(number_from("XDPFLOWD_TEST_SEED", 20'261'128));
}

uint64_t frames_of_this_run() {
  return number_from("XDPFLOWD_TEST_FRAMES", 300'000);
}

}  // namespace xdpflowd::test
