// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/filter.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "flow/names.h"

namespace xdpflowd {
namespace {

constexpr unsigned mapped_bits = 96;  // of ::ffff:0:0/96, before an IPv4 address

using AddressBytes = std::array<uint8_t, sizeof(xf_addr)>;

AddressBytes bytes_of(const xf_addr& address) {
  AddressBytes bytes;
  std::memcpy(bytes.data(), &address, bytes.size());
  return bytes;
}

/// `address` with everything behind the first `length` bits cleared.
xf_addr network_of(const xf_addr& address, unsigned length) {
  AddressBytes bytes = bytes_of(address);
  for (unsigned i = 0; i < bytes.size(); ++i) {
    const unsigned kept = std::clamp(static_cast<int>(length) - static_cast<int>(i * 8), 0, 8);
    bytes[i] = static_cast<uint8_t>(bytes[i] & 0xff00 >> kept);
  }
  xf_addr network;
  std::memcpy(&network, bytes.data(), bytes.size());
  return network;
}

bool same_address(const xf_addr& left, const xf_addr& right) {
  return std::memcmp(&left, &right, sizeof left) == 0;
}

std::optional<xf_addr> parse_address(std::string text) {
  const bool dotted = text.find(':') == std::string::npos;
  if (dotted) text.insert(0, "::ffff:");
  xf_addr address{};
  if (inet_pton(AF_INET6, text.c_str(), &address) != 1 || (dotted && !is_ipv4(address))) return std::nullopt;
  return address;
}

std::string quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

std::string cidr_text(const xf_addr& base, unsigned length) {
  std::string text;
  append_address(text, base);
  return text + "/" + std::to_string(is_ipv4(base) ? length - mapped_bits : length);
}

/// Runs `parse` on what was typed, if anything was, and stores its value; an error gets the name of the
/// option.
template <class Value, class Parse>
Status read_option(const char* option, const std::optional<std::string>& text, std::optional<Value>& value,
                   Parse parse) {
  if (!text) return ok();
  auto parsed = parse(*text);
  if (!parsed) return in_context(parsed.error(), option);
  value = std::move(*parsed);
  return ok();
}

Result<uint8_t> parse_protocol(const std::string& text) {
  if (const auto number = protocol_number(text)) return *number;
  return usage_error(quoted(text) + " is not a protocol; say tcp, udp, icmp, icmpv6 or a number up to 255");
}

Result<uint16_t> parse_port(const std::string& text) {
  const auto number = decimal_number(text);
  if (!number || *number > UINT16_MAX)
    return usage_error(quoted(text) + " is not a port; say a number up to 65535");
  return static_cast<uint16_t>(*number);
}

Result<xf_state> parse_state(const std::string& text) {
  if (const auto index = index_in(state_names, text)) return static_cast<xf_state>(*index);
  return usage_error(quoted(text) + " is not a state; say " + choice_of(Names(state_names).subspan(1)));
}

Result<xf_table> parse_table(const std::string& text) {
  if (const auto index = index_in(table_names, text)) return static_cast<xf_table>(*index);
  return usage_error(quoted(text) + " is not a table; say " + choice_of(table_names));
}

}  // namespace

Result<Cidr> Cidr::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = parse_address(std::string(text.substr(0, slash)));
  if (!address)
    return usage_error(quoted(text) +
                       " is not an address or prefix; say one like 192.0.2.0/24 or 2001:db8::/32");

  Cidr cidr;
  cidr.length_ = 128;
  if (slash != std::string_view::npos) {
    const bool dotted = text.find(':') == std::string_view::npos;
    const unsigned longest = dotted ? 32 : 128;
    const auto length = decimal_number(text.substr(slash + 1));
    if (!length || *length > longest)
      return usage_error(quoted(text) + ": the length of the prefix must be a number up to " +
                         std::to_string(longest));
    cidr.length_ = static_cast<unsigned>(*length) + (dotted ? mapped_bits : 0);
  }

  cidr.base_ = network_of(*address, cidr.length_);
  if (!same_address(cidr.base_, *address))
    return usage_error(quoted(text) + " has bits set behind its prefix; say " +
                       cidr_text(cidr.base_, cidr.length_) +
                       " for the network, or the address without a length");
  return cidr;
}

bool Cidr::contains(const xf_addr& address) const {
  return is_ipv4(address) == is_ipv4(base_) && same_address(network_of(address, length_), base_);
}

Result<FlowFilter> FlowFilter::parse(const FilterText& text) {
  FlowFilter filter;
  filter.zone = text.zone;
  for (const Status& status : {
           read_option("--protocol", text.protocol, filter.protocol, parse_protocol),
           read_option("--source", text.source, filter.source, Cidr::parse),
           read_option("--destination", text.destination, filter.destination, Cidr::parse),
           read_option("--port", text.port, filter.port, parse_port),
           read_option("--state", text.state, filter.state, parse_state),
           read_option("--table", text.table, filter.table, parse_table),
       }) {
    if (!status) return status.error();
  }
  return filter;
}

bool FlowFilter::matches(const Flow& flow) const {
  return (!table || *table == flow.table) && (!state || *state == flow.state) &&
         (!protocol || *protocol == flow.protocol) &&
         (!port || *port == flow.source_port || *port == flow.destination_port) &&
         (!source || source->contains(flow.source)) &&
         (!destination || destination->contains(flow.destination)) && (!zone || *zone == flow.zone);
}

bool FlowFilter::matches_all() const {
  return !zone && !table && matches_whole_tables();
}

bool FlowFilter::matches_whole_tables() const {
  return !protocol && !source && !destination && !port && !state;
}

Status FlowFilter::check_zone(const std::vector<std::string_view>& zones) const {
  if (!zone || std::ranges::find(zones, *zone) != zones.end()) return ok();
  return usage_error("--zone: there is no zone " + quoted(*zone) + "; say " + choice_of(zones));
}

}  // namespace xdpflowd
