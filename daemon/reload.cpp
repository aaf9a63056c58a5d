// SPDX-License-Identifier: GPL-2.0-or-later
#include "reload.h"

#include <algorithm>
#include <tuple>

#include "base/log_output.h"
#include "dataplane/configuration.h"
#include "dataplane/plan.h"

namespace xdpflowd {

Reload::Reload(Settings& running, SettingsLoader load, const PinnedState& state, Housekeeper& housekeeper,
               ReloadActions actions)
    : running_(running),
      load_(std::move(load)),
      state_(state),
      housekeeper_(housekeeper),
      actions_(std::move(actions)) {}

void Reload::run() {
  const auto wanted = load_();
  if (!wanted) {
    log::error("reload refused, nothing is changed: {}", wanted.error().message);
    return;
  }
  // What is changed is told to whoever reads the old or the new level.
  const auto level = wanted->daemon.log_level;
  start_log(std::min(running_.daemon.log_level, level));
  for (const auto& warning : wanted->warnings) log::warn("{}", warning);
  apply_all(*wanted);
  start_log(level);
}

void Reload::apply_all(const Settings& wanted) {
  const auto changes = difference(running_, wanted);
  const auto applied =
      std::ranges::count_if(changes, [&](const Change& change) { return settle(change, wanted); });
  if (auto followed = actions_.follow_interfaces(); !followed)
    log::error("interfaces: {}", followed.error().message);
  if (changes.empty())
    log::info("reloaded: nothing is different");
  else
    log::info("reloaded: {} of {} changes applied", applied, changes.size());
}

/// Whether it was applied.
bool Reload::settle(const Change& change, const Settings& wanted) {
  const auto text = text_of(change);
  if (!applies_live(change.setting)) {
    // Below another folder the data plane is another one.
    log::warn("{}: not applied; {}", text,
              change.setting == Setting::state_dir
                  ? "it takes `xdpflowctl unload`, which ends all flows, and a restart"
                  : "restart xdpflowd for it, no flow is lost");
    return false;
  }
  if (auto applied = apply(change, wanted); !applied) {
    log::error("{}: not applied, the old value stays: {}", text, applied.error().message);
    return false;
  }
  log::info("{}", text);
  return true;
}

Status Reload::apply(const Change& change, const Settings& wanted) {
  Status done = ok();
  switch (change.setting) {
    case Setting::log_level:
      running_.daemon.log_level = wanted.daemon.log_level;
      return ok();
    case Setting::metrics_listen:
      done = actions_.serve_metrics_at(wanted.metrics.listen);
      if (done) running_.metrics.listen = wanted.metrics.listen;
      return done;
    case Setting::records_file:
      done = actions_.record_to(wanted.records.file);
      if (done) running_.records = wanted.records;
      return done;
    case Setting::timeout:
      return apply_timeouts(wanted.timeouts);
    case Setting::promote_packets:
      return apply_promote_packets(change, wanted);
    case Setting::zone_size:
      return apply_zone_size(change, wanted);
    case Setting::zone:
      return apply_zone(change, wanted);
    case Setting::interface:
      return apply_interfaces(wanted);
    case Setting::target:
    case Setting::per_target_histograms:
      return apply_targets(wanted);
    case Setting::health_events:
    case Setting::health_hooks:
      return apply_health(wanted);
    default:
      return fail("this version cannot do that");
  }
}

Status Reload::apply_promote_packets(const Change& change, const Settings& wanted) {
  for (auto& zone : running_.zones) {
    if (change.key != "zone." + zone.name + ".promote_packets") continue;
    const auto found = std::ranges::find(wanted.zones, zone.name, &ZoneSettings::name);
    if (auto set = write_promote_packets(state_, zone.name, found->promote_packets); !set) return set;
    zone.promote_packets = found->promote_packets;
    return ok();
  }
  return fail("no such zone");
}

/// All of them with the first that is different. Flows whose timeout became longer learn it when their timer
/// fires; timers that are now too late are set anew.
Status Reload::apply_timeouts(const Timeouts& wanted) {
  if (running_.timeouts == wanted) return ok();
  if (auto written = write_timeouts(state_, wanted); !written) return written;
  const auto before = timeout_slots(running_.timeouts), after = timeout_slots(wanted);
  running_.timeouts = wanted;
  TimeoutSlots shortened;
  for (size_t slot = 0; slot < after.size(); ++slot)
    if (after[slot] < before[slot]) shortened.set(slot);
  return shortened.any() ? housekeeper_.rearm(shortened) : ok();
}

Status Reload::apply_zone_size(const Change& change, const Settings& wanted) {
  for (auto& zone : running_.zones)
    for (const auto& [key, table, size] :
         {std::tuple(".max_flows", XF_TABLE_ESTABLISHED, &ZoneSettings::max_flows),
          std::tuple(".max_half_open", XF_TABLE_HALF_OPEN, &ZoneSettings::max_half_open)}) {
      if (change.key != "zone." + zone.name + key) continue;
      const auto found = std::ranges::find(wanted.zones, zone.name, &ZoneSettings::name);
      if (auto resized = housekeeper_.resize(zone.name, table, *found.*size); !resized) return resized;
      zone.*size = *found.*size;
      return ok();
    }
  return fail("no such zone");
}

/// The tables of a zone that goes stay, for its flows to expire, and for the day on which it comes back.
Status Reload::apply_zone(const Change& change, const Settings& wanted) {
  const auto has_key = [&](const ZoneSettings& zone) { return change.key == "zone." + zone.name; };
  const auto added = std::ranges::find_if(wanted.zones, has_key);
  if (added == wanted.zones.end()) {
    std::erase_if(running_.zones, has_key);
    log::info("{} is no longer configured: its flows expire, its tables stay until `xdpflowctl unload`",
              change.key);
    return ok();
  }
  if (auto made = housekeeper_.add_zone(*added); !made) return made;
  running_.zones.push_back(*added);
  return ok();
}

/// All of them with the first that is different.
Status Reload::apply_targets(const Settings& wanted) {
  if (running_.targets == wanted.targets &&
      running_.metrics.per_target_histograms == wanted.metrics.per_target_histograms)
    return ok();
  if (auto applied = actions_.apply_targets(wanted); !applied) return applied;
  running_.targets = wanted.targets;
  running_.metrics.per_target_histograms = wanted.metrics.per_target_histograms;
  return ok();
}

Status Reload::apply_health(const Settings& wanted) {
  if (auto applied = actions_.apply_health(wanted.health); !applied) return applied;
  running_.health = wanted.health;
  return ok();
}

/// All of them with the first that is different: the devices follow when everything else is in place.
Status Reload::apply_interfaces(const Settings& wanted) {
  for (const auto& interface : wanted.interfaces)
    if (std::ranges::find(running_.zones, interface.zone, &ZoneSettings::name) == running_.zones.end())
      return fail("there is no zone " + interface.zone);
  running_.interfaces = wanted.interfaces;
  return ok();
}

}  // namespace xdpflowd
