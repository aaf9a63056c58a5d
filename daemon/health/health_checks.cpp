// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/health_checks.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include "base/clock.h"
#include "base/log.h"
#include "dataplane/target_reader.h"
#include "health/target_routes.h"

namespace xdpflowd {
namespace {

constexpr size_t due_at_once = 4096;

/// Byte by byte: both are made from zeros.
bool is_same(const xf_target_config& a, const xf_target_config& b) {
  return std::ranges::equal(std::as_bytes(std::span(&a, 1)), std::as_bytes(std::span(&b, 1)));
}

Status erase(const auto& map, const auto& key) {
  auto erased = map.erase(key);
  return !erased && erased.error().code == ENOENT ? ok() : erased;
}

}  // namespace

Result<HealthChecks> HealthChecks::open(const PinnedState& state, Listener listener) {
  auto due = EventRing::open(state.due_probes());
  if (!due) return in_context(due.error(), "ring due_probes");
  auto routes = Routes::open();
  if (!routes) return routes.error();
  auto monitor = RouteMonitor::open();
  if (!monitor) return monitor.error();
  auto client = ProbeClient::open(state.probe_program(), state.probe_frames().fd());
  if (!client) return client.error();
  auto kept_routes = std::make_unique<Routes>(std::move(*routes));
  Prober prober(std::move(*client), *kept_routes);
  return HealthChecks(state, std::move(listener), std::move(*due), std::move(*monitor),
                      std::move(kept_routes), std::move(prober));
}

HealthChecks::HealthChecks(const PinnedState& state, Listener listener, EventRing due, RouteMonitor monitor,
                           std::unique_ptr<Routes> routes, Prober prober)
    : state_(&state),
      listener_(std::move(listener)),
      due_(std::move(due)),
      route_monitor_(std::move(monitor)),
      routes_(std::move(routes)),
      prober_(std::move(prober)) {}

Status HealthChecks::apply(const std::vector<TargetSettings>& wanted, const LinkTable& links) {
  const auto known = read_targets(*state_);
  if (!known) return known.error();
  const auto plan = plan_targets(wanted, *known);
  if (auto removed = remove(plan.gone); !removed) return removed;
  if (auto reserved = reserve_ports(wanted); !reserved) return reserved;
  for (const auto& target : *known) shown_[target.index] = xf_shown_health(&target.state);
  if (auto observed = observe(links); !observed) return observed;
  const auto kept_before = std::exchange(kept_, {});
  std::vector<Prober::Start> starts;
  std::vector<uint32_t> stops;
  for (const auto& planned : plan.targets) {
    if (const auto kept = kept_before.find(planned.index); kept != kept_before.end())
      kept_[planned.index].refusal = kept->second.refusal;
    if (auto written = put(planned); !written)
      return in_context(written.error(), "target " + planned.wanted->name);
    if (is_probed(planned.index, planned.config))
      starts.push_back(first_probe(planned.index, *planned.wanted));
    else if (planned.before)
      stops.push_back(planned.index);
  }
  if (auto stopped = prober_.stop(stops); !stopped) return stopped;
  return start(starts);
}

/// Timer first, so that no callback meets what is being taken away.
Status HealthChecks::remove(const std::vector<Target>& gone) {
  std::vector<uint32_t> indexes;
  for (const auto& target : gone) indexes.push_back(target.index);
  if (auto stopped = prober_.stop(indexes); !stopped) return stopped;
  for (const auto& target : gone) {
    if (auto forgotten = forget_key(target.index, target.config); !forgotten) return forgotten;
    if (auto erased = erase(state_->target_rtts(), target.index); !erased) return erased;
    if (auto erased = erase(state_->targets(), target.index); !erased) return erased;
    if (auto erased = erase(state_->target_configs(), target.index); !erased) return erased;
    shown_.erase(target.index);
  }
  return ok();
}

Status HealthChecks::count_each(bool wanted) {
  for (const auto& [index, kept] : kept_) {
    if (wanted && state_->target_rtts().get(index)) continue;
    auto done = wanted ? state_->target_rtts().set(index, {}) : erase(state_->target_rtts(), index);
    if (!done) return done;
  }
  return ok();
}

Status HealthChecks::reserve_ports(const std::vector<TargetSettings>& wanted) {
  auto control = state_->health().get(0);
  if (!control) return control.error();
  if (control->secret[0] == 0 && getrandom(control->secret, sizeof control->secret, 0) < 0)
    return system_error(errno, "cannot get random bytes");
  if (wanted.empty()) {
    ports_.reset();
    control->own_port = 0;
  } else if (!ports_) {
    if (auto opened = prober_.open_sender(); !opened) return opened;
    auto ports = OwnPorts::reserve(control->own_port);
    if (!ports) return ports.error();
    ports_ = std::make_unique<OwnPorts>(std::move(*ports));
    control->own_port = ports_->first();
  }
  control->neighbours = std::ranges::find(wanted, ProbeKind::arp, &TargetSettings::probe) != wanted.end();
  return state_->health().set(0, *control);
}

Prober::Start HealthChecks::first_probe(uint32_t index, const TargetSettings& wanted) {
  std::uniform_int_distribution<uint64_t> spread(0, static_cast<uint64_t>(wanted.jitter.count()));
  return {index, spread(random_)};
}

/// A fresh target's element comes last: with it everything else is there.
Status HealthChecks::put(const PlannedTarget& planned) {
  Kept& kept = kept_[planned.index];
  kept.wanted = *planned.wanted;
  xf_target_config& config = kept.target.config;
  kept.target.index = planned.index;
  config = planned.config;
  if (auto located = locate(planned.index, config, kept.wanted); !located) return located;
  log_refusal(kept);
  if (auto written = write(planned.index, config, planned.before); !written) return written;
  if (planned.before) return ok();
  xf_target target{};
  target.health = planned.config.initial;
  target.since_ns = monotonic_ns();
  shown_[planned.index] = target.health;
  return state_->targets().set(planned.index, target);
}

/// Two that are written in another way in the file, but whose replies could not be told apart: one is probed.
Status HealthChecks::locate(uint32_t index, xf_target_config& config, const TargetSettings& wanted) const {
  if (auto found = find_route(config, wanted, *routes_, links_, observed_); !found) return found;
  if (!is_probed(index, config) || config.refusal != XF_CAUSE_NONE) return ok();
  const auto holder = state_->probe_keys().get(key_of(config));
  if (!holder && holder.error().code != ENOENT) return holder.error();
  if (holder && *holder != index) config.refusal = XF_CAUSE_SAME_PROBE;
  return ok();
}

/// `before`: its configuration until now, whose key is another one if the source has changed.
Status HealthChecks::write(uint32_t index, const xf_target_config& config, const xf_target_config* before) {
  if (before)
    if (auto forgotten = forget_key(index, *before); !forgotten) return forgotten;
  if (auto set = state_->target_configs().set(index, config); !set) return set;
  if (!is_probed(index, config) || config.refusal != XF_CAUSE_NONE) return ok();
  return state_->probe_keys().set(key_of(config), index);
}

/// Unless it is another's by now.
Status HealthChecks::forget_key(uint32_t index, const xf_target_config& config) {
  const auto holder = state_->probe_keys().get(key_of(config));
  if (!holder && holder.error().code != ENOENT) return holder.error();
  return holder && *holder == index ? erase(state_->probe_keys(), key_of(config)) : ok();
}

Status HealthChecks::start(const std::vector<Prober::Start>& targets) {
  auto without_timer = prober_.start(targets);
  if (!without_timer) return without_timer.error();
  if (!without_timer->empty() && without_timer_.empty())
    log::warn("the kernel has no memory for the timers of {} targets: tried again every second",
              without_timer->size());
  without_timer_ = std::move(*without_timer);
  return ok();
}

Status HealthChecks::observe(const LinkTable& links) {
  const auto interfaces = state_->read_interfaces();
  if (!interfaces) return interfaces.error();
  std::set<uint32_t> attached;
  for (const auto& [index, interface] : *interfaces)
    if (interface.mode != XF_MODE_DETACHED) attached.insert(interface.ifindex);
  links_ = links;
  observed_ = observed_devices(links, attached);
  std::set<uint32_t> cut_off;
  for (const Link& link : links_.links)
    if (!link.carrier) cut_off.insert(link.ifindex);
  prober_.set_devices(observed_, std::move(cut_off));
  return ok();
}

Status HealthChecks::follow(const LinkTable& links) {
  if (auto observed = observe(links); !observed) return observed;
  for (auto& [index, kept] : kept_)
    if (auto refreshed = refresh_route(index, kept); !refreshed) return refreshed;
  return ok();
}

Status HealthChecks::refresh_route(uint32_t index, Kept& kept) {
  auto config = kept.target.config;
  if (auto located = locate(index, config, kept.wanted); !located) return located;
  if (is_same(config, kept.target.config)) return ok();
  auto written = write(index, config, &kept.target.config);
  kept.target.config = config;
  log_refusal(kept);
  return written;
}

void HealthChecks::log_refusal(Kept& kept) {
  if (kept.refusal == kept.target.config.refusal) return;
  kept.refusal = kept.target.config.refusal;
  const auto& wanted = kept.wanted;
  if (kept.refusal == XF_CAUSE_NONE)
    log::info("target {} ({}) is probed", wanted.name, wanted.address);
  else
    log::warn("target {} ({}) is not probed: {}", wanted.name, wanted.address,
              cause_text(kept.refusal, 0, 0, true));
}

Status HealthChecks::probe_due() {
  std::vector<uint32_t> indexes;
  due_.drain(due_at_once, [&](std::span<const std::byte> bytes) {
    xf_due due;
    if (bytes.size() != sizeof due) return;
    std::memcpy(&due, bytes.data(), sizeof due);
    indexes.push_back(due.index);
  });
  due_.commit();
  return prober_.probe(indexes);
}

void HealthChecks::on_event(const xf_target_event& event) {
  const auto kept = kept_.find(event.index);
  const auto shown = shown_.find(event.index);
  if (kept == kept_.end() || shown == shown_.end() || shown->second == event.after) return;
  shown->second = event.after;
  listener_({kept->second.wanted, event});
}

Result<TargetHistograms> HealthChecks::round_trips_of_each() const {
  return read_target_rtts(*state_);
}

Result<std::vector<const Target*>> HealthChecks::look() {
  const auto states = read_target_states(*state_);
  if (!states) return states.error();
  std::vector<const Target*> seen;
  seen.reserve(states->size());
  auto kept = kept_.begin();
  for (const auto& [index, state] : *states) {
    while (kept != kept_.end() && kept->first < index) ++kept;
    if (kept == kept_.end()) break;
    if (kept->first != index) continue;
    kept->second.target.state = state;
    seen.push_back(&kept->second.target);
  }
  return seen;
}

}  // namespace xdpflowd
