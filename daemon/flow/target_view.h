// SPDX-License-Identifier: GPL-2.0-or-later
// What people see of a health target. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "flow/target.h"

namespace xdpflowd {

/// When one looks, and when the daemon last said that it is there (0: never). Both monotonic.
struct Look {
  uint64_t now_ns = 0;
  uint64_t heartbeat_ns = 0;
};

std::string_view name_of(const Target& target);

/// "icmp", "tcp:80", "udp:53", "arp".
std::string probe_text(const Target& target);
uint16_t port_of(const Target& target);

/// "up", "down" or "unknown": the operator's word if there is one, else that of the probes.
std::string_view state_name(const Target& target);
bool is_up(const Target& target);
/// An operator's word stands above the probes'.
bool is_forced(const Target& target);
/// No verdict can be current: nobody probes, or the target's turn does not come.
bool is_stale(const Target& target, const Look& look);
/// With what limits it: "down (forced)", "up (stale)", "up (forced, stale)".
std::string state_text(const Target& target, const Look& look);

/// Since what is shown is so. nullopt: it was never anything else. Not negative.
std::optional<int64_t> state_age_ns(const Target& target, const Look& look);

struct RoundTrips {
  int64_t last_ns, min_ns, average_ns, max_ns;
};
/// nullopt: there was no reply yet.
std::optional<RoundTrips> round_trips(const Target& target);

uint64_t probes_sent(const Target& target);
uint64_t probes_failed(const Target& target);
/// Of the last 100 outcomes, or of as many as there were, 0 to 1. nullopt: there were none.
std::optional<double> loss_ratio(const Target& target);

/// Why the last probe failed, or could not be sent. "": it did not fail.
std::string error_text(const Target& target);

struct HealthCounts {
  uint64_t up = 0, down = 0, unknown = 0;
};
HealthCounts count_health(std::span<const Target> targets);

}  // namespace xdpflowd
