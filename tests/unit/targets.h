// SPDX-License-Identifier: GPL-2.0-or-later
// Health targets as the pinned maps have them, in words.
#pragma once

#include <cstring>
#include <string>

#include "flow/target_view.h"
#include "unit/flows.h"

namespace xdpflowd::test {

constexpr uint64_t target_now_ns = 1000 * second_ns;
/// The daemon was there a moment ago.
constexpr Look target_look{.now_ns = target_now_ns, .heartbeat_ns = target_now_ns - second_ns / 2};

inline void rename(Target& target, const std::string& name) {
  std::strncpy(target.config.name, name.c_str(), sizeof target.config.name - 1);
}

/// gw-a at 192.0.2.1: ICMP once a second, not yet heard of, probed half a second ago.
inline Target new_target() {
  Target target;
  target.index = 1;
  rename(target, "gw-a");
  target.config.address = address("192.0.2.1");
  target.config.interval_ns = second_ns;
  target.config.down_interval_ns = second_ns;
  target.config.timeout_ns = second_ns / 2;
  target.config.weight = 1;
  target.config.first_sharer = 1;
  target.state.judged_ns = target_now_ns - second_ns / 2;
  return target;
}

/// Up for 252 seconds, by 300 replies of which the last took 412 microseconds.
inline Target up_target() {
  Target target = new_target();
  xf_target& state = target.state;
  state.health = XF_HEALTH_UP;
  state.since_ns = target_now_ns - 252 * second_ns;
  state.successes = 300;
  state.results[XF_RESULT_OK] = 300;
  state.rtt_ns = 412'000;
  state.rtt_min_ns = 300'000;
  state.rtt_sum_ns = 150'000'000;
  state.rtt_max_ns = 1'200'000;
  state.transitions[XF_HEALTH_UP] = 1;
  return target;
}

/// Down for 5 seconds, by the last 3 of 20 probes, which timed out.
inline Target down_target() {
  Target target = up_target();
  rename(target, "web-1");
  xf_target& state = target.state;
  state.health = XF_HEALTH_DOWN;
  state.since_ns = target_now_ns - 5 * second_ns;
  state.error = state.cause = XF_CAUSE_TIMEOUT;
  state.successes = 0;
  state.failures = 3;
  state.results[XF_RESULT_OK] = 17;
  state.results[XF_RESULT_TIMEOUT] = 3;
  state.rtt_sum_ns = 17 * 500'000;
  state.history[0] = 0b111;
  state.transitions[XF_HEALTH_DOWN] = 1;
  return target;
}

}  // namespace xdpflowd::test
