// SPDX-License-Identifier: GPL-2.0-or-later
// Health checks as the operator wants them: [[target]] and [health] after validation, with defaults filled
// in.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace xdpflowd {

enum class ProbeKind { icmp, tcp, udp, arp };  // arp: ARP or, for IPv6, neighbour discovery
enum class InitialState { unknown, up, down };

inline constexpr size_t targets_max = 100'000;
inline constexpr size_t targets_per_probe_max = 8;

struct TargetSettings {
  std::string name;
  std::string address;  // unicast, as inet_ntop() writes it
  ProbeKind probe = ProbeKind::icmp;
  uint16_t port = 0;  // tcp and udp only
  std::chrono::nanoseconds interval = std::chrono::seconds(1);
  std::chrono::nanoseconds timeout = std::chrono::milliseconds(300);  // not longer than either interval
  std::chrono::nanoseconds down_interval = interval;                  // while the target is down
  std::chrono::nanoseconds jitter = interval;  // first probes are spread over it; may be 0
  uint32_t fall = 3;
  uint32_t rise = 2;
  InitialState initial = InitialState::unknown;
  std::string source;     // of the family of `address`; "": the kernel chooses
  std::string interface;  // egress device or VRF; "": by the routing table
  std::string description;
  uint32_t weight = 1;                 // carried for later use
  bool refused_is_up = false;          // tcp only: what a RST says
  std::string payload;                 // udp only; bytes
  std::string expect;                  // udp only; bytes that the reply must begin with; "": any reply
  std::vector<std::string> on_change;  // a program by its absolute path, and its arguments; empty: none

  bool operator==(const TargetSettings&) const = default;
};

struct HealthSettings {
  std::string events;     // path of a UNIX stream socket on which events are streamed; "": none
  std::string hook_user;  // user that on_change programs run as; "": the daemon's own
  std::chrono::nanoseconds hook_timeout = std::chrono::seconds(10);

  bool operator==(const HealthSettings&) const = default;
};

}  // namespace xdpflowd
