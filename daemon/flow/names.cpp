// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/names.h"

#include <netinet/in.h>
#include <strings.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace xdpflowd {
namespace {

constexpr auto protocols = std::to_array<std::pair<std::string_view, uint8_t>>(
    {{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {"icmp", IPPROTO_ICMP}, {"icmpv6", IPPROTO_ICMPV6}});

bool same_word(std::string_view left, std::string_view right) {
  return left.size() == right.size() && strncasecmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace

std::string_view name_in(Names names, unsigned index) {
  return index < names.size() ? names[index] : std::string_view("unknown");
}

std::optional<unsigned> index_in(Names names, std::string_view name) {
  const auto found =
      std::ranges::find_if(names, [&](std::string_view known) { return same_word(known, name); });
  if (found == names.end()) return std::nullopt;
  return static_cast<unsigned>(found - names.begin());
}

std::string choice_of(Names names) {
  std::string choice;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) choice += i + 1 == names.size() ? " or " : ", ";
    choice += names[i];
  }
  return choice;
}

std::string protocol_name(uint8_t protocol) {
  const auto known = std::ranges::find(protocols, protocol, [](const auto& entry) { return entry.second; });
  return known == protocols.end() ? std::to_string(protocol) : std::string(known->first);
}

std::optional<uint8_t> protocol_number(std::string_view name_or_number) {
  for (const auto& [name, number] : protocols) {
    if (same_word(name, name_or_number)) return number;
  }
  const auto number = decimal_number(name_or_number);
  if (!number || *number > UINT8_MAX) return std::nullopt;
  return static_cast<uint8_t>(*number);
}

std::optional<uint64_t> decimal_number(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace xdpflowd
