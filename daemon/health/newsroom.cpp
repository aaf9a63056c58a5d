// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/newsroom.h"

#include <arpa/inet.h>

#include "base/clock.h"
#include "base/log.h"
#include "flow/decode.h"
#include "flow/names.h"
#include "health/target_news.h"

namespace xdpflowd {
namespace {

TargetState state_of(unsigned health) {
  switch (health) {
    case XF_HEALTH_UP:
      return TargetState::up;
    case XF_HEALTH_DOWN:
      return TargetState::down;
    default:
      return TargetState::unknown;
  }
}

std::optional<uint64_t> if_known(uint64_t nanoseconds) {
  return nanoseconds == 0 ? std::nullopt : std::optional(nanoseconds);
}

bool is_ipv4(const std::string& address) {
  return address.find(':') == std::string::npos;
}

TargetNews news_of(const HealthChange& change) {
  const auto& [target, event] = change;
  TargetNews news;
  news.name = target.name;
  news.address = target.address;
  news.probe = name_in(probe_names, static_cast<unsigned>(target.probe));
  news.port = target.port;
  news.before = state_of(event.before);
  news.after = state_of(event.after);
  news.reason = cause_text(event.cause, event.icmp_type, event.icmp_code, is_ipv4(target.address));
  news.forced = event.forced != 0;
  news.rtt_ns = if_known(event.rtt_ns);
  news.lateness_ns = if_known(event.lateness_ns);
  news.unix_ns = static_cast<int64_t>(event.time_ns) + realtime_offset_ns();
  return news;
}

/// As if it had become so when it did.
TargetNews news_of(const Target& target) {
  TargetNews news;
  news.name = target.config.name;
  append_address(news.address, target.config.address);
  news.probe = name_in(probe_names, target.config.probe);
  news.port = ntohs(target.config.port);
  news.after = news.before = state_of(xf_shown_health(&target.state));
  news.reason =
      cause_text(target.state.cause, target.state.icmp_type, target.state.icmp_code, is_ipv4(news.address));
  news.forced = target.state.forced != XF_HEALTH_UNKNOWN;
  news.rtt_ns = if_known(target.state.rtt_ns);
  news.unix_ns = static_cast<int64_t>(target.state.since_ns) + realtime_offset_ns();
  return news;
}

}  // namespace

Status Newsroom::apply(const HealthSettings& settings) {
  hooks_.set_limits({.time = std::chrono::duration_cast<std::chrono::milliseconds>(settings.hook_timeout),
                     .user = settings.hook_user});
  if (settings.events == events_path_) return ok();
  std::optional<EventSocket> events;
  if (!settings.events.empty()) {
    auto opened = EventSocket::open(loop_, settings.events, [this] { return present_states(); });
    if (!opened) return opened.error();
    events.emplace(std::move(*opened));
  }
  events_ = std::move(events);
  events_path_ = settings.events;
  return ok();
}

void Newsroom::tell(const HealthChange& change) {
  const auto news = news_of(change);
  const bool is_down = news.after == TargetState::down;
  log::write(is_down ? LogLevel::warn : LogLevel::info, "{}", news_line(news));
  if (events_) events_->publish(news_json(news));
  hooks_.run(change.target.on_change, news);
}

std::vector<std::string> Newsroom::present_states() const {
  std::vector<std::string> lines;
  const auto targets = targets_();
  if (!targets) {
    log::error("{}", targets.error().message);
    return lines;
  }
  for (const Target* target : *targets) lines.push_back(state_json(news_of(*target)));
  return lines;
}

}  // namespace xdpflowd
