// SPDX-License-Identifier: GPL-2.0-or-later
// From the bytes of the data plane to flows as people know them. The only place of user space that converts
// byte order.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "xdpflow/abi.h"

namespace xdpflowd {

/// What a live flow and the record of an ended one have in common. `source` is who was seen to start it.
struct Conversation {
  std::string_view zone;  // borrowed from whoever gave the name to the decoder
  uint8_t protocol = 0;
  xf_addr source{};  // see append_address()
  xf_addr destination{};
  uint16_t source_port = 0;  // host order
  uint16_t destination_port = 0;
  xf_state state = XF_STATE_NONE;
  xf_table table = XF_TABLE_HALF_OPEN;
  bool replied = false;  // the responder was seen
  bool swept = false;    // has no timer of its own: the reaper expires it
  xf_count forward{};    // from the source
  xf_count reverse{};
  uint32_t icmp_errors = 0;

  std::string_view state_name() const;
  std::string_view table_name() const;
  std::string_view direction_name() const { return replied ? "both" : "one-way"; }
  std::string_view timer_name() const { return swept ? "swept" : "exact"; }
};

/// A live flow. No time is negative, though the clocks of two CPUs and the coarse one differ by a little.
struct Flow : Conversation {
  int64_t age_ns = 0;
  int64_t idle_ns = 0;
  int64_t expires_in_ns = 0;
};

/// What a flow's bytes alone do not tell. Decoded flows point into `zone_names`: keep it where it is while
/// they live.
struct DecodeContext {
  uint64_t now_ns = 0;  // CLOCK_MONOTONIC
  uint64_t coarse_lag_ns = 0;
  std::array<std::string, XF_ZONES_MAX> zone_names;
  std::array<uint64_t, XF_TIMEOUT_SLOTS> timeouts_ns{};
};

/// An entry in another phase has ended already: it is not a flow any more.
bool is_live(const xf_flow& flow);

Flow decode(const xf_flow_key& key, const xf_flow& flow, const DecodeContext& context);

/// The part of `decode()` that a record shares: addresses, ports and what the status word tells; no counters.
Conversation decode_conversation(const xf_flow_key& key, const xf_status& status);

bool is_ipv4(const xf_addr& address);

/// Dotted if it sits behind ::ffff, else as inet_ntop() writes IPv6.
void append_address(std::string& out, const xf_addr& address);

}  // namespace xdpflowd
