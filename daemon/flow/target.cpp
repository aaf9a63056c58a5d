// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/target.h"

#include <array>
#include <string_view>

#include "flow/names.h"

namespace xdpflowd {
namespace {

constexpr auto cause_words = std::to_array<std::string_view>({
    "",
    "reply",
    "timeout",
    "connection refused",
    "ICMP error",
    "reply does not begin as expected",
    "no route",
    "no answer to ARP or neighbour discovery",
    "asking for the next hop's address",
    "egress interface is down",
    "replies would arrive on an interface where xdpflowd is not attached",
    "forwarding is off (net.ipv4.ip_forward, net.ipv6.conf.all.forwarding)",
    "no own address to probe from",
    "is an address of this machine",
    "the kernel has no memory for its timer",
    "the kernel did not take the probe",
    "maintenance",
    "another target has the same probe; give both the same source and interface, so that they share it",
});
static_assert(cause_words.size() == XF_CAUSES);

constexpr auto unreachable4 = std::to_array<std::string_view>(
    {"net unreachable", "host unreachable", "protocol unreachable", "port unreachable"});  // RFC 792
constexpr auto unreachable6 = std::to_array<std::string_view>(
    {"no route to destination", "administratively prohibited", "beyond scope of source address",
     "address unreachable", "port unreachable"});  // RFC 4443, section 3.1

std::string_view icmp_words(unsigned type, unsigned code, bool ipv4) {
  constexpr unsigned unreachable_type4 = 3, exceeded_type4 = 11, prohibited_code4 = 13;
  constexpr unsigned unreachable_type6 = 1, exceeded_type6 = 3;
  if (type == (ipv4 ? exceeded_type4 : exceeded_type6)) return "time exceeded";
  if (ipv4 && type == unreachable_type4)
    return code == prohibited_code4     ? "administratively prohibited"
           : code < unreachable4.size() ? unreachable4[code]
                                        : "unreachable";
  if (!ipv4 && type == unreachable_type6)
    return code < unreachable6.size() ? unreachable6[code] : "unreachable";
  return "parameter problem";
}

}  // namespace

std::string cause_text(unsigned cause, unsigned icmp_type, unsigned icmp_code, bool ipv4) {
  if (cause != XF_CAUSE_ICMP_ERROR) return std::string(name_in(cause_words, cause));
  return "ICMP " + std::string(icmp_words(icmp_type, icmp_code, ipv4));
}

}  // namespace xdpflowd
