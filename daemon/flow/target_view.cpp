// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/target_view.h"

#include <arpa/inet.h>
#include <string.h>

#include <algorithm>
#include <bit>

#include "flow/decode.h"
#include "flow/names.h"

namespace xdpflowd {
namespace {

constexpr uint64_t shown_history = 100;
constexpr int64_t second_ns = 1'000'000'000;
constexpr int64_t heartbeat_patience_ns = 3 * second_ns;  // it is written once a second
constexpr int64_t probing_slack_ns = second_ns;

/// Another CPU, or the daemon, may have read the clock after `now_ns` was.
int64_t age_of(uint64_t moment_ns, uint64_t now_ns) {
  return std::max<int64_t>(0, static_cast<int64_t>(now_ns - moment_ns));
}

/// From one probe to the next. One that is shared comes at the interval of those that are up.
uint64_t pace_ns(const Target& target) {
  const xf_target_config& config = target.config;
  const bool shared = config.next_sharer != 0 || config.first_sharer != target.index;
  return target.state.health == XF_HEALTH_DOWN && !shared ? config.down_interval_ns : config.interval_ns;
}

bool is_probed(const Target& target, uint64_t now_ns) {
  const xf_target& state = target.state;
  const auto verdict_ns = static_cast<int64_t>(target.config.timeout_ns) + probing_slack_ns;
  // The first probes are spread over an interval: before its own, a target is not late.
  if (state.judged_ns == 0) return state.due_ns != 0 && age_of(state.due_ns, now_ns) <= verdict_ns;
  return age_of(state.judged_ns, now_ns) <= 2 * static_cast<int64_t>(pace_ns(target)) + verdict_ns;
}

/// How many outcomes the history holds. A next hop whose address nobody answers for is a failure although
/// nothing could be sent: the oldest failure tells of those.
uint64_t outcomes(const Target& target) {
  const auto& history = target.state.history;
  const uint64_t width = history[1] != 0 ? 64 + std::bit_width(history[1]) : std::bit_width(history[0]);
  return std::max(probes_sent(target), width);
}

}  // namespace

std::string_view name_of(const Target& target) {
  return {target.config.name, strnlen(target.config.name, sizeof target.config.name)};
}

uint16_t port_of(const Target& target) {
  return ntohs(target.config.port);
}

std::string probe_text(const Target& target) {
  const std::string kind(name_in(probe_names, target.config.probe));
  return target.config.port == 0 ? kind : kind + ':' + std::to_string(port_of(target));
}

std::string_view state_name(const Target& target) {
  return name_in(health_names, xf_shown_health(&target.state));
}

bool is_up(const Target& target) {
  return xf_shown_health(&target.state) == XF_HEALTH_UP;
}

bool is_forced(const Target& target) {
  return target.state.forced != XF_HEALTH_UNKNOWN;
}

bool is_stale(const Target& target, const Look& look) {
  if (look.heartbeat_ns == 0 || age_of(look.heartbeat_ns, look.now_ns) > heartbeat_patience_ns) return true;
  return !is_probed(target, look.now_ns);
}

std::string state_text(const Target& target, const Look& look) {
  std::string limits;
  if (is_forced(target)) limits = "forced";
  if (is_stale(target, look)) limits += limits.empty() ? "stale" : ", stale";
  const std::string state(state_name(target));
  return limits.empty() ? state : state + " (" + limits + ")";
}

std::optional<int64_t> state_age_ns(const Target& target, const Look& look) {
  if (target.state.since_ns == 0) return std::nullopt;
  return age_of(target.state.since_ns, look.now_ns);
}

std::optional<RoundTrips> round_trips(const Target& target) {
  const xf_target& state = target.state;
  if (state.rtt_ns == 0) return std::nullopt;
  const uint64_t replies = std::max<uint64_t>(1, state.results[XF_RESULT_OK]);
  return RoundTrips{static_cast<int64_t>(state.rtt_ns), static_cast<int64_t>(state.rtt_min_ns),
                    static_cast<int64_t>(state.rtt_sum_ns / replies), static_cast<int64_t>(state.rtt_max_ns)};
}

uint64_t probes_sent(const Target& target) {
  return target.state.results[XF_RESULT_OK] + probes_failed(target);
}

uint64_t probes_failed(const Target& target) {
  return target.state.results[XF_RESULT_TIMEOUT] + target.state.results[XF_RESULT_UNREACHABLE];
}

std::optional<double> loss_ratio(const Target& target) {
  const uint64_t shown = std::min(outcomes(target), shown_history);
  if (shown == 0) return std::nullopt;
  const auto& history = target.state.history;
  constexpr uint64_t of_second_word = (uint64_t{1} << (shown_history - 64)) - 1;
  const int failed = std::popcount(history[0]) + std::popcount(history[1] & of_second_word);
  return static_cast<double>(failed) / static_cast<double>(shown);
}

std::string error_text(const Target& target) {
  const xf_target& state = target.state;
  return cause_text(state.error, state.icmp_type, state.icmp_code, is_ipv4(target.config.address));
}

HealthCounts count_health(std::span<const Target> targets) {
  HealthCounts counts;
  for (const Target& target : targets) {
    const auto health = xf_shown_health(&target.state);
    ++(health == XF_HEALTH_UP ? counts.up : health == XF_HEALTH_DOWN ? counts.down : counts.unknown);
  }
  return counts;
}

}  // namespace xdpflowd
