// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings/draft.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "flow/names.h"
#include "settings/duration.h"
#include "settings/suggestion.h"
#include "settings/target_list.h"
#include "settings/values.h"

namespace xdpflowd {
namespace {

constexpr int64_t flows_per_cpu = 256;
constexpr std::string_view why_flows_per_cpu = "256 per CPU";
constexpr int64_t table_size_max = 100'000'000;
constexpr IntegerRange promote_range{.least = 2, .most = 1'000'000};
constexpr DurationRange timeout_range{.least = std::chrono::milliseconds(1), .most = duration_max};
constexpr DurationRange hook_timeout_range{.least = std::chrono::milliseconds(100),
                                           .most = std::chrono::minutes(10)};

Status read_daemon(const TomlValue& section, DaemonSettings& out) {
  auto table = section.table("[daemon] above its keys");
  if (!table) return table.error();
  return table->read({
      {"log_level",
       [&](const TomlValue& value) { return value.read(out.log_level, parse_log_level, "info"); }},
      {"state_dir",
       [&](const TomlValue& value) {
         return value.read(out.state_dir, parse_state_dir, "/sys/fs/bpf/xdpflowd");
       }},
      {"dispatcher",
       [&](const TomlValue& value) { return value.read(out.dispatcher, parse_dispatcher, "auto"); }},
  });
}

Status read_metrics(const TomlValue& section, MetricsSettings& out) {
  auto table = section.table("[metrics] above its keys");
  if (!table) return table.error();
  return table->read({
      {"listen",
       [&](const TomlValue& value) { return value.read(out.listen, parse_listen, "127.0.0.1:9742"); }},
      {"per_target_histograms",
       [&](const TomlValue& value) { return value.read(out.per_target_histograms); }},
  });
}

Status read_records(const TomlValue& section, RecordsSettings& out) {
  auto table = section.table("[records] above its keys");
  if (!table) return table.error();
  return table->read({
      {"file",
       [&](const TomlValue& value) {
         return value.read(out.file, parse_records_file, "/var/log/xdpflowd/records.json");
       }},
  });
}

Result<std::chrono::nanoseconds> parse_hook_timeout(std::string_view text) {
  return parse_duration_within(text, hook_timeout_range);
}

Status read_health(const TomlValue& section, HealthSettings& out) {
  auto table = section.table("[health] above its keys");
  if (!table) return table.error();
  return table->read({
      {"events",
       [&](const TomlValue& value) {
         return value.read(out.events, parse_events_socket, "/run/xdpflowd/events.sock");
       }},
      {"hook_user",
       [&](const TomlValue& value) { return value.read(out.hook_user, parse_user_name, "nobody"); }},
      {"hook_timeout",
       [&](const TomlValue& value) { return value.read(out.hook_timeout, parse_hook_timeout, "10s"); }},
  });
}

Result<std::chrono::nanoseconds> parse_timeout(std::string_view text) {
  return parse_duration_within(text, timeout_range);
}

Status read_timeouts(const TomlTable& table, Timeouts& out) {
  std::vector<TomlKey> keys;
  for (size_t i = 0; i < timeout_names.size(); ++i) {
    keys.push_back({timeout_names[i],
                    [&out, i](const TomlValue& value) { return value.read(out[i], parse_timeout, "30s"); }});
  }
  return table.read(keys);
}

}  // namespace

SettingsDraft::SettingsDraft(FilePlace start_of_file, uint64_t ram_bytes, unsigned cpus)
    : start_(std::move(start_of_file)), table_size_{flows_per_cpu * cpus, table_size_max, why_flows_per_cpu} {
  const auto least = static_cast<uint32_t>(table_size_.least);
  default_zone_.name = "default";
  default_zone_.max_flows = std::max(default_max_flows(ram_bytes), least);
  default_zone_.max_half_open = std::max(default_zone_.max_half_open, least);
}

Status SettingsDraft::read(const TomlTable& root) {
  return root.read({
      {"daemon", [&](const TomlValue& value) { return read_daemon(value, settings_.daemon); }},
      {"metrics", [&](const TomlValue& value) { return read_metrics(value, settings_.metrics); }},
      {"records", [&](const TomlValue& value) { return read_records(value, settings_.records); }},
      {"zone", [&](const TomlValue& value) { return add_zones(value); }},
      {"interface", [&](const TomlValue& value) { return add_interfaces(value); }},
      {"timeouts", [&](const TomlValue& value) { return set_timeouts(value); }},
      {"health", [&](const TomlValue& value) { return read_health(value, settings_.health); }},
      {"target", [&](const TomlValue& value) { return add_targets(value); }},
  });
}

Result<Settings> SettingsDraft::finish() {
  if (settings_.zones.empty()) settings_.zones.push_back(default_zone_);
  auto interfaces = settle_interfaces(std::move(entries_), settings_.zones, start_);
  if (!interfaces) return interfaces.error();
  settings_.interfaces = std::move(*interfaces);
  warn_of_unused_zones();
  warn_of_order(XF_TIMEOUT_TCP_SYN_SENT, XF_TIMEOUT_TCP_ESTABLISHED);
  warn_of_order(XF_TIMEOUT_UDP, XF_TIMEOUT_UDP_STREAM);
  return std::move(settings_);
}

Status SettingsDraft::add_zones(const TomlValue& section) {
  auto table = section.table("[zone.default] above its keys");
  if (!table) return table.error();
  for (const TomlValue& value : table->values()) {
    if (auto status = add_zone(value); !status) return status;
  }
  return ok();
}

Status SettingsDraft::add_zone(const TomlValue& value) {
  auto name = parse_zone_name(value.key());
  if (!name) return value.key_place().error("zone: " + name.error().message);
  auto table = value.table("the zone's name in brackets, such as [zone.default], above its keys");
  if (!table) return table.error();
  if (settings_.zones.size() == XF_ZONES_MAX) {
    return value.key_place().error("too many zones; at most " + std::to_string(XF_ZONES_MAX) +
                                   " are possible");
  }

  ZoneSettings zone = default_zone_;
  zone.name = *name;
  auto status = table->read({
      {"max_flows", [&](const TomlValue& size) { return size.read(zone.max_flows, table_size_); }},
      {"max_half_open", [&](const TomlValue& size) { return size.read(zone.max_half_open, table_size_); }},
      {"promote_packets",
       [&](const TomlValue& count) { return count.read(zone.promote_packets, promote_range); }},
  });
  if (!status) return status;

  // The queue of orphans is as large as all tables together, and the size of a map has 32 bits.
  flows_ += uint64_t{zone.max_flows} + zone.max_half_open;
  if (flows_ > std::numeric_limits<uint32_t>::max()) {
    return value.key_place().error("the tables of all zones hold " + std::to_string(flows_) +
                                   " flows; write smaller max_flows, at most 4294967295 fit");
  }
  settings_.zones.push_back(std::move(zone));
  zone_places_.push_back(value.key_place());
  return ok();
}

Status SettingsDraft::add_interfaces(const TomlValue& section) {
  auto entries = read_interfaces(section);
  if (!entries) return entries.error();
  entries_ = std::move(*entries);
  return ok();
}

Status SettingsDraft::add_targets(const TomlValue& section) {
  auto targets = read_targets(section);
  if (!targets) return targets.error();
  settings_.targets = std::move(*targets);
  return ok();
}

Status SettingsDraft::set_timeouts(const TomlValue& section) {
  auto table = section.table("[timeouts] above its keys");
  if (!table) return table.error();
  timeouts_ = *table;
  return read_timeouts(*table, settings_.timeouts);
}

void SettingsDraft::warn_of_unused_zones() {
  for (size_t i = 0; i < zone_places_.size(); ++i) {
    const std::string& name = settings_.zones[i].name;
    if (std::ranges::find(settings_.interfaces, name, &InterfaceSettings::zone) !=
        settings_.interfaces.end()) {
      continue;
    }
    settings_.warnings.push_back(zone_places_[i].text() + "zone." + name +
                                 ": no interface is in this zone, yet its tables take memory; name it in an "
                                 "[[interface]] or remove it");
  }
}

void SettingsDraft::warn_of_order(xf_timeout first, xf_timeout later) {
  if (settings_.timeouts[first] <= settings_.timeouts[later]) return;
  const std::string_view shown =
      timeouts_->has(timeout_names[first]) ? timeout_names[first] : timeout_names[later];
  settings_.warnings.push_back(
      timeouts_->place_of(shown).text() + "timeouts." + std::string(timeout_names[first]) + " (" +
      format_duration(settings_.timeouts[first]) + ") is longer than " + std::string(timeout_names[later]) +
      " (" + format_duration(settings_.timeouts[later]) + "): unanswered flows would outlive answered ones");
}

}  // namespace xdpflowd
