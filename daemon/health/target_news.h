// SPDX-License-Identifier: GPL-2.0-or-later
// A change of a target's state, in the words of the log and of the event stream.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace xdpflowd {

enum class TargetState { unknown, up, down };

/// "unknown" "up" "down".
std::string_view target_state_name(TargetState state);

struct TargetNews {
  std::string name;
  std::string address;
  std::string probe;  // "icmp" "tcp" "udp" "arp"
  uint16_t port = 0;  // 0: the probe has none
  TargetState before = TargetState::unknown;
  TargetState after = TargetState::unknown;
  std::string reason;   // a word or two: "reply", "timeout", "icmp host unreachable", "maintenance"
  bool forced = false;  // by `xdpflowctl targets set`
  std::optional<uint64_t> rtt_ns;       // of the reply that decided
  std::optional<uint64_t> lateness_ns;  // from the missed deadline to the decision in the kernel
  int64_t unix_ns = 0;                  // when it was decided
};

/// One line of JSON, without the newline.
std::string news_json(const TargetNews& news);

/// How a target is, for those who have not heard of its changes: the same line, about no change.
std::string state_json(const TargetNews& news);

/// For the log: "target gw-a (192.0.2.1, icmp): up -> down: timeout, decided 87 us after the missed
/// deadline".
std::string news_line(const TargetNews& news);

}  // namespace xdpflowd
