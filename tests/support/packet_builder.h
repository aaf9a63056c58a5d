// SPDX-License-Identifier: GPL-2.0-or-later
// Packets written as words: tcp().from("192.0.2.1", 4000).to("198.51.100.1", 80).syn(). Serves the tests and
// the benches.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace xdpflowd::test {

using Bytes = std::vector<uint8_t>;

/// An IPv6 extension header with `words` eight-byte words of content beyond the first.
struct Extension {
  uint8_t type;
  uint8_t words = 0;
};

class Packet {
 public:
  explicit Packet(uint8_t protocol) : protocol_(protocol) {}

  Packet& from(const std::string& address, uint16_t port = 0);
  Packet& to(const std::string& address, uint16_t port = 0);
  /// The same packet in the other direction: addresses and ports change places.
  Packet reversed() const;

  Packet& syn() { return flag(0x02); }
  Packet& ack() { return flag(0x10); }
  Packet& fin() { return flag(0x01); }
  Packet& rst() { return flag(0x04); }
  Packet& flags(uint8_t all);
  Packet& seq(uint32_t number);
  Packet& ack_number(uint32_t number);
  Packet& tcp_options(uint8_t words);
  Packet& data_offset(uint8_t words);
  Packet& udp_length(uint16_t bytes);

  Packet& icmp_type(uint8_t type, uint8_t code = 0);
  Packet& icmp_id(uint16_t id);
  /// Makes this ICMP packet an error about `cause`, of which it quotes the IP header and `bytes` of what
  /// follows.
  Packet& quoting(const Packet& cause, size_t bytes = 8);
  /// Keeps the first `bytes` of what is quoted.
  Packet& cut_quote(size_t bytes);

  Packet& payload(size_t bytes);
  /// Outer tag first; at most as many as wanted.
  Packet& vlan(uint16_t id, uint16_t ethertype = 0x8100);
  Packet& ipv4_options(uint8_t words);
  Packet& extension(uint8_t type, uint8_t words = 0);
  /// `offset` in bytes, a multiple of eight.
  Packet& fragment(uint16_t offset, bool more);
  Packet& ethertype(uint16_t type);
  Packet& ip_version(uint8_t version);
  Packet& header_words(uint8_t words);
  /// The length that the IP header claims instead of the true one (IPv4: total, IPv6: payload).
  Packet& claimed_length(uint16_t bytes);
  Packet& protocol(uint8_t number);
  /// Bytes behind the end of the IP packet.
  Packet& padding(size_t bytes);

  Bytes frame() const;
  /// Layer 3 length: what the flow counts.
  size_t l3_bytes() const;

 private:
  Packet& flag(uint8_t bit);
  bool is_ipv6() const;
  Bytes transport() const;
  Bytes tcp_segment() const;
  Bytes icmp_message() const;
  Bytes network() const;
  Bytes ipv4(const Bytes& inner) const;
  Bytes ipv6(const Bytes& inner) const;

  uint8_t protocol_;
  std::string source_ = "192.0.2.1", destination_ = "198.51.100.1";
  uint16_t source_port_ = 0, destination_port_ = 0;
  uint8_t tcp_flags_ = 0, tcp_option_words_ = 0;
  uint32_t seq_ = 1, ack_ = 0;
  std::optional<uint8_t> data_offset_;
  std::optional<uint16_t> udp_length_, ethertype_, claimed_length_;
  uint8_t icmp_type_ = 8, icmp_code_ = 0;
  uint16_t icmp_id_ = 0;
  Bytes quote_;
  size_t payload_ = 0, padding_ = 0;
  std::vector<std::pair<uint16_t, uint16_t>> vlans_;  // id, ethertype
  uint8_t option_words_ = 0;
  std::vector<Extension> extensions_;
  std::optional<std::pair<uint16_t, bool>> fragment_;
  std::optional<uint8_t> version_, header_words_;
};

Packet tcp();
Packet udp();
Packet tcp6();
Packet udp6();
Packet icmp();    ///< an echo request
Packet icmpv6();  ///< an echo request
Packet ip_protocol(uint8_t number);
Bytes arp_request();

}  // namespace xdpflowd::test
