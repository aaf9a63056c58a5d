// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/packet_builder.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <stdexcept>

namespace xdpflowd::test {

namespace {

constexpr uint8_t fragment_header = 44;
constexpr uint8_t authentication_header = 51;

void put16(Bytes& out, uint16_t value) {
  out.push_back(static_cast<uint8_t>(value >> 8));
  out.push_back(static_cast<uint8_t>(value));
}

void put32(Bytes& out, uint32_t value) {
  put16(out, static_cast<uint16_t>(value >> 16));
  put16(out, static_cast<uint16_t>(value));
}

void append(Bytes& out, const Bytes& more) {
  out.insert(out.end(), more.begin(), more.end());
}

void put_address(Bytes& out, const std::string& text) {
  uint8_t raw[16];
  const int family = text.find(':') == std::string::npos ? AF_INET : AF_INET6;
  if (inet_pton(family, text.c_str(), raw) != 1) throw std::invalid_argument("not an address: " + text);
  out.insert(out.end(), raw, raw + (family == AF_INET ? 4 : 16));
}

}  // namespace

Packet& Packet::from(const std::string& address, uint16_t port) {
  source_ = address;
  source_port_ = port;
  return *this;
}

Packet& Packet::to(const std::string& address, uint16_t port) {
  destination_ = address;
  destination_port_ = port;
  return *this;
}

Packet Packet::reversed() const {
  Packet other = *this;
  std::swap(other.source_, other.destination_);
  std::swap(other.source_port_, other.destination_port_);
  return other;
}

Packet& Packet::flag(uint8_t bit) {
  return flags(tcp_flags_ | bit);
}

Packet& Packet::flags(uint8_t all) {
  tcp_flags_ = all;
  return *this;
}

Packet& Packet::seq(uint32_t number) {
  seq_ = number;
  return *this;
}

Packet& Packet::ack_number(uint32_t number) {
  ack_ = number;
  return ack();
}

Packet& Packet::tcp_options(uint8_t words) {
  tcp_option_words_ = words;
  return *this;
}

Packet& Packet::data_offset(uint8_t words) {
  data_offset_ = words;
  return *this;
}

Packet& Packet::udp_length(uint16_t bytes) {
  udp_length_ = bytes;
  return *this;
}

Packet& Packet::icmp_type(uint8_t type, uint8_t code) {
  icmp_type_ = type;
  icmp_code_ = code;
  return *this;
}

Packet& Packet::icmp_id(uint16_t id) {
  icmp_id_ = id;
  return *this;
}

Packet& Packet::quoting(const Packet& cause, size_t bytes) {
  quote_ = cause.network();
  const size_t header = cause.l3_bytes() - cause.transport().size();
  if (quote_.size() > header + bytes) quote_.resize(header + bytes);
  return *this;
}

Packet& Packet::cut_quote(size_t bytes) {
  quote_.resize(bytes);
  return *this;
}

Packet& Packet::payload(size_t bytes) {
  payload_ = bytes;
  return *this;
}

Packet& Packet::vlan(uint16_t id, uint16_t ethertype) {
  vlans_.emplace_back(id, ethertype);
  return *this;
}

Packet& Packet::ipv4_options(uint8_t words) {
  option_words_ = words;
  return *this;
}

Packet& Packet::extension(uint8_t type, uint8_t words) {
  extensions_.push_back({type, words});
  return *this;
}

Packet& Packet::fragment(uint16_t offset, bool more) {
  fragment_ = {offset, more};
  return *this;
}

Packet& Packet::ethertype(uint16_t type) {
  ethertype_ = type;
  return *this;
}

Packet& Packet::ip_version(uint8_t version) {
  version_ = version;
  return *this;
}

Packet& Packet::header_words(uint8_t words) {
  header_words_ = words;
  return *this;
}

Packet& Packet::claimed_length(uint16_t bytes) {
  claimed_length_ = bytes;
  return *this;
}

Packet& Packet::protocol(uint8_t number) {
  protocol_ = number;
  return *this;
}

Packet& Packet::padding(size_t bytes) {
  padding_ = bytes;
  return *this;
}

bool Packet::is_ipv6() const {
  return source_.find(':') != std::string::npos;
}

Bytes Packet::tcp_segment() const {
  Bytes out;
  put16(out, source_port_);
  put16(out, destination_port_);
  put32(out, seq_);
  put32(out, ack_);
  out.push_back(static_cast<uint8_t>(data_offset_.value_or(5 + tcp_option_words_) << 4));
  out.push_back(tcp_flags_);
  put16(out, 65535);
  put32(out, 0);  // checksum, urgent pointer
  out.resize(out.size() + tcp_option_words_ * 4UL, 1);
  out.resize(out.size() + payload_, 'x');
  return out;
}

Bytes Packet::icmp_message() const {
  Bytes out{icmp_type_, icmp_code_};
  put16(out, 0);
  put16(out, icmp_id_);
  put16(out, 1);
  append(out, quote_);
  out.resize(out.size() + payload_, 'x');
  return out;
}

Bytes Packet::transport() const {
  const bool later = fragment_ && fragment_->first > 0;
  if (later) return Bytes(payload_, 'x');
  if (protocol_ == IPPROTO_TCP) return tcp_segment();
  if (protocol_ == IPPROTO_ICMP || protocol_ == IPPROTO_ICMPV6) return icmp_message();
  if (protocol_ != IPPROTO_UDP) return Bytes(payload_, 'x');
  Bytes out;
  put16(out, source_port_);
  put16(out, destination_port_);
  put16(out, udp_length_.value_or(static_cast<uint16_t>(8 + payload_)));
  put16(out, 0);
  out.resize(out.size() + payload_, 'x');
  return out;
}

Bytes Packet::ipv4(const Bytes& inner) const {
  const size_t header = 20 + option_words_ * 4UL;
  Bytes out{static_cast<uint8_t>(version_.value_or(4) << 4 | header_words_.value_or(header / 4)), 0};
  put16(out, claimed_length_.value_or(static_cast<uint16_t>(header + inner.size())));
  put16(out, 1);
  put16(out, fragment_ ? static_cast<uint16_t>(fragment_->first / 8 | (fragment_->second ? 0x2000 : 0)) : 0);
  out.push_back(64);
  out.push_back(protocol_);
  put16(out, 0);
  put_address(out, source_);
  put_address(out, destination_);
  out.resize(header, 1);
  append(out, inner);
  return out;
}

Bytes Packet::ipv6(const Bytes& inner) const {
  std::vector<Extension> chain = extensions_;
  if (fragment_) chain.push_back({fragment_header});
  Bytes headers;
  for (size_t i = 0; i < chain.size(); i++) {
    const uint8_t next = i + 1 < chain.size() ? chain[i + 1].type : protocol_;
    const bool is_fragment = chain[i].type == fragment_header;
    const uint8_t words = chain[i].words;
    headers.push_back(next);
    headers.push_back(is_fragment ? 0 : chain[i].type == authentication_header ? words * 2 : words);
    put16(headers,
          is_fragment && fragment_ ? static_cast<uint16_t>(fragment_->first | fragment_->second) : 0);
    put32(headers, 0);
    headers.resize(headers.size() + words * 8UL, 0);
  }
  Bytes out{static_cast<uint8_t>(version_.value_or(6) << 4), 0, 0, 0};
  put16(out, claimed_length_.value_or(static_cast<uint16_t>(headers.size() + inner.size())));
  out.push_back(chain.empty() ? protocol_ : chain.front().type);
  out.push_back(64);
  put_address(out, source_);
  put_address(out, destination_);
  append(out, headers);
  append(out, inner);
  return out;
}

Bytes Packet::network() const {
  return is_ipv6() ? ipv6(transport()) : ipv4(transport());
}

size_t Packet::l3_bytes() const {
  return network().size();
}

Bytes Packet::frame() const {
  Bytes out{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
  for (const auto& [id, type] : vlans_) {
    put16(out, type);
    put16(out, id);
  }
  put16(out, ethertype_.value_or(is_ipv6() ? 0x86dd : 0x0800));
  append(out, network());
  out.resize(out.size() + padding_, 0);
  return out;
}

Packet tcp() {
  return Packet(IPPROTO_TCP).from("192.0.2.1", 40000).to("198.51.100.1", 80);
}
Packet udp() {
  return Packet(IPPROTO_UDP).from("192.0.2.1", 40000).to("198.51.100.1", 53);
}
Packet tcp6() {
  return tcp().from("2001:db8::1", 40000).to("2001:db8::2", 80);
}
Packet udp6() {
  return udp().from("2001:db8::1", 40000).to("2001:db8::2", 53);
}
Packet icmp() {
  return Packet(IPPROTO_ICMP).icmp_type(8).icmp_id(7);
}
Packet icmpv6() {
  return Packet(IPPROTO_ICMPV6).from("2001:db8::1").to("2001:db8::2").icmp_type(128).icmp_id(7);
}
Packet ip_protocol(uint8_t number) {
  return Packet(number);
}

Bytes arp_request() {
  Bytes out(12, 0xff);
  put16(out, 0x0806);
  out.resize(42, 0);
  return out;
}

}  // namespace xdpflowd::test
