// SPDX-License-Identifier: GPL-2.0-or-later
// What HealthChecks does once a second, a little of it at a time: meanwhile no probe is sent.
#include <algorithm>
#include <cerrno>

#include "base/clock.h"
#include "base/log.h"
#include "health/health_checks.h"

namespace xdpflowd {

Status HealthChecks::tick() {
  ++ticks_;
  if (kept_.empty()) return ok();
  for (const auto step : {&HealthChecks::look_for_losses, &HealthChecks::refresh_some_routes,
                          &HealthChecks::use_neighbours, &HealthChecks::look_for_stuck})
    if (auto done = (this->*step)(); !done) return done;
  return ok();
}

/// What an event that found its ring full would have told.
Status HealthChecks::look_for_losses() {
  const auto stats = state_->global_stats().sum(0);
  if (!stats) return stats.error();
  if (stats->lost[XF_LOST_EVENT] == events_lost_) return ok();
  events_lost_ = stats->lost[XF_LOST_EVENT];
  const auto now = look();
  if (!now) return now.error();
  for (const Target* target : *now) {
    const xf_target& state = target->state;
    xf_target_event event{};
    event.index = target->index;
    event.time_ns = state.since_ns;
    event.before = shown_[target->index];
    event.after = xf_shown_health(&state);
    event.cause = state.cause;
    event.forced = state.forced != XF_HEALTH_UNKNOWN;
    on_event(event);
  }
  return ok();
}

/// Calls visit(index, target) for the next `count` targets.
template <class Visit>
Status HealthChecks::visit_some(uint32_t& last, size_t count, Visit visit) {
  for (size_t i = 0; i < count; ++i) {
    auto next = kept_.upper_bound(last);
    if (next == kept_.end()) next = kept_.begin();
    last = next->first;
    if (auto visited = visit(next->first, next->second); !visited) return visited;
  }
  return ok();
}

/// All of them once a minute, and as soon as may be after routes or addresses have changed.
Status HealthChecks::refresh_some_routes() {
  constexpr size_t at_once = 1000;  // ten milliseconds and more, in which nothing is probed
  const auto news = route_monitor_.has_news();
  if (!news) return news.error();
  if (*news) out_of_date_ = kept_.size();
  const size_t count = std::max(kept_.size() / 60 + 1, std::min(out_of_date_, at_once));
  out_of_date_ -= std::min(out_of_date_, count);
  return visit_some(last_refreshed_, count,
                    [this](uint32_t index, Kept& kept) { return refresh_route(index, kept); });
}

/// The kernel does not see that we use its neighbours: what nobody else uses would grow stale and be
/// forgotten.
Status HealthChecks::use_neighbours() {
  constexpr unsigned seconds = 10;
  if (ticks_ % seconds == 0) {
    const auto next_hops = prober_.take_next_hops();
    growing_old_.assign(next_hops.begin(), next_hops.end());
  }
  const size_t some = std::min(growing_old_.size(), growing_old_.size() / (seconds - ticks_ % seconds) + 1);
  for (size_t i = 0; i < some; ++i) {
    const auto next_hop = growing_old_.back();
    growing_old_.pop_back();
    if (auto used = routes_->use_neighbour(next_hop.ifindex, next_hop.address); !used)
      log::debug("{}", used.error().message);
  }
  return ok();
}

/// A timer that could not be had or was lost, a probe that was due while nobody could build it. Each target
/// is looked at every ten seconds.
Status HealthChecks::look_for_stuck() {
  constexpr uint64_t patience_ns = 5'000'000'000;
  std::vector<Prober::Start> stuck;
  for (const auto index : without_timer_)
    if (const auto kept = kept_.find(index); kept != kept_.end())
      stuck.push_back(first_probe(index, kept->second.wanted));
  auto looked = visit_some(last_looked_at_, kept_.size() / 10 + 1, [&](uint32_t index, const Kept& kept) {
    const auto state = state_->targets().get(index);
    if (!state) return state.error().code == ENOENT ? ok() : Status(state.error());
    const auto late_ns = static_cast<int64_t>(monotonic_ns() - state->due_ns - patience_ns);
    if (is_probed(index, kept.target.config) && state->due_ns != 0 && state->phase != XF_PROBE_PHASE_SENT &&
        late_ns > 0)
      stuck.push_back({index, 0});
    return ok();
  });
  if (!looked) return looked;
  return stuck.empty() ? ok() : start(stuck);
}

}  // namespace xdpflowd
