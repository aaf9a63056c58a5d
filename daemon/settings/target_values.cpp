// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings/target_values.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "settings/settings.h"
#include "settings/values.h"
#include "settings/words.h"

namespace xdpflowd {
namespace {

constexpr Words<ProbeKind, 4> probe_kinds{
    {{"icmp", ProbeKind::icmp}, {"tcp", ProbeKind::tcp}, {"udp", ProbeKind::udp}, {"arp", ProbeKind::arp}}};
constexpr Words<InitialState, 3> initial_states{
    {{"unknown", InitialState::unknown}, {"up", InitialState::up}, {"down", InitialState::down}}};
constexpr Words<bool, 2> refusals{{{"down", false}, {"up", true}}};

constexpr size_t payload_max = 512;
constexpr size_t expect_max = 64;
constexpr size_t argument_max = 131'071;  // MAX_ARG_STRLEN of execve(), without the NUL

const char* const address_advice =
    "; write the IPv4 or IPv6 address of one machine, such as \"192.0.2.1\" or \"2001:db8::1\"";

/// Why an address cannot be one machine's, or nullptr.
const char* unfit(const std::array<uint8_t, 4>& address) {
  const auto all = [&](uint8_t byte) { return std::ranges::count(address, byte) == 4; };
  if (all(0)) return "the unspecified address";
  if (all(0xff)) return "the broadcast address";
  if (address[0] == 127) return "a loopback address";
  return address[0] >> 4 == 0xe ? "a multicast address" : nullptr;
}

const char* unfit(const in6_addr& address) {
  if (IN6_IS_ADDR_UNSPECIFIED(&address)) return "the unspecified address";
  if (IN6_IS_ADDR_LOOPBACK(&address)) return "a loopback address";
  if (IN6_IS_ADDR_V4MAPPED(&address)) return "an IPv4-mapped address";
  return IN6_IS_ADDR_MULTICAST(&address) ? "a multicast address" : nullptr;
}

template <int family, class Address>
Result<std::string> canonical(std::string_view text) {
  Address address{};
  if (text.find('\0') != std::string_view::npos ||
      inet_pton(family, std::string(text).c_str(), &address) != 1) {
    return usage_error(in_quotes(text) + " is not an address" + address_advice);
  }
  if (const char* kind = unfit(address)) {
    return usage_error(in_quotes(text) + " is " + kind + address_advice);
  }
  std::array<char, INET6_ADDRSTRLEN> written{};
  return std::string(inet_ntop(family, &address, written.data(), written.size()));
}

Result<std::string> at_most(size_t longest, std::string bytes) {
  if (bytes.size() <= longest) return bytes;
  return usage_error(std::to_string(bytes.size()) + " bytes are too long; write at most " +
                     std::to_string(longest));
}

Result<std::string> parse_hex(std::string_view text, size_t longest) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    const std::string_view pair = text.substr(i, 2);
    unsigned char byte = 0;
    const auto [rest, error] = std::from_chars(pair.data(), pair.data() + pair.size(), byte, 16);
    if (pair.size() < 2 || error != std::errc() || rest != pair.data() + 2) {
      return usage_error(in_quotes(text) + " is not hexadecimal: " + in_quotes(pair) +
                         " is no byte; write pairs of 0-9 and a-f, such as \"0a1b\"");
    }
    bytes += static_cast<char>(byte);
  }
  return at_most(longest, std::move(bytes));
}

}  // namespace

Result<ProbeKind> parse_probe_kind(std::string_view text) {
  return parse_word(text, "a kind of probe", probe_kinds);
}

Result<InitialState> parse_initial_state(std::string_view text) {
  return parse_word(text, "a state to begin with", initial_states);
}

Result<bool> parse_on_refused(std::string_view text) {
  return parse_word(text, "what a refused connection can mean", refusals);
}

std::string_view word_of(ProbeKind probe) {
  return word_for(probe, probe_kinds);
}

std::string_view word_of(InitialState state) {
  return word_for(state, initial_states);
}

Result<std::string> parse_target_name(std::string_view text) {
  constexpr size_t longest = 63;
  static constexpr const char* allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  if (text.empty() || text.size() > longest || text.find_first_not_of(allowed) != std::string_view::npos) {
    return usage_error(in_quotes(text) +
                       " is not a target's name; write 1 to 63 of a-z, A-Z, 0-9, '.', '_' and '-'");
  }
  return std::string(text);
}

Result<std::string> parse_address(std::string_view text) {
  if (is_ipv6(text)) return canonical<AF_INET6, in6_addr>(text);
  return canonical<AF_INET, std::array<uint8_t, 4>>(text);
}

Result<std::string> parse_source(std::string_view text) {
  return text.empty() ? std::string() : parse_address(text);
}

bool is_ipv6(std::string_view address) {
  return address.find(':') != std::string_view::npos;
}

bool is_ipv6_link_local(std::string_view address) {
  in6_addr bytes{};
  return inet_pton(AF_INET6, std::string(address).c_str(), &bytes) == 1 && IN6_IS_ADDR_LINKLOCAL(&bytes);
}

Result<std::string> parse_egress(std::string_view text) {
  static const std::string advice = "write the name of one interface or VRF, such as \"eth0\"";
  if (text.empty()) return std::string();
  if (is_pattern(text)) return usage_error(in_quotes(text) + " is a pattern; " + advice);
  return parse_device_name(text, advice);
}

Result<std::string> parse_description(std::string_view text) {
  constexpr size_t longest = 255;
  if (has_control(text)) {
    return usage_error(in_quotes(text) + " has a control character in it; write one line of text");
  }
  return at_most(longest, std::string(text));
}

Result<std::string> parse_payload(std::string_view text) {
  return at_most(payload_max, std::string(text));
}

Result<std::string> parse_payload_hex(std::string_view text) {
  return parse_hex(text, payload_max);
}

Result<std::string> parse_expect(std::string_view text) {
  return at_most(expect_max, std::string(text));
}

Result<std::string> parse_expect_hex(std::string_view text) {
  return parse_hex(text, expect_max);
}

Result<std::string> parse_program(std::string_view text) {
  return parse_file_path(text, "write a program such as \"/usr/local/bin/notify\"");
}

Result<std::string> parse_argument(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    return usage_error(in_quotes(text) + " has a NUL in it, which no argument can have; remove it");
  }
  return at_most(argument_max, std::string(text));
}

}  // namespace xdpflowd
