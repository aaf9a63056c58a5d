// SPDX-License-Identifier: GPL-2.0-or-later
#include <nlohmann/json.hpp>

#include "ctl/status.h"
#include "flow/names.h"
#include "flow/target_view.h"

namespace xdpflowd {
namespace {

using Json = nlohmann::ordered_json;

template <size_t Count>
Json named_counts(const std::array<std::string_view, Count>& names, const __u64 (&counts)[Count]) {
  Json object = Json::object();
  for (size_t i = 0; i < Count; ++i) object[std::string(names[i])] = counts[i];
  return object;
}

template <class Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json daemon_json(const StatusReport& report) {
  const auto heartbeat_age_ns = report.heartbeat_age_ns();
  return {
      {"running", report.daemon.running},
      {"pid", report.daemon.running ? or_null(report.daemon.pid) : Json(nullptr)},
      {"stalled", report.daemon_stalled()},
      {"heartbeat_age_seconds",
       heartbeat_age_ns ? Json(static_cast<double>(*heartbeat_age_ns) / 1e9) : Json(nullptr)},
  };
}

Json upgrade_json(const UpgradeState& upgrade) {
  return {
      {"former_generation", upgrade.former_generation},
      {"former_program", upgrade.former_program},
      {"flows", upgrade.flows},
  };
}

Json interface_json(const InterfaceSnapshot& interface) {
  return {
      {"name", interface.name},
      {"mode", name_in(mode_names, interface.mode)},
      {"dispatcher", interface.dispatcher},
      {"zone", interface.zone.empty() ? Json(nullptr) : Json(interface.zone)},
      {"packets", named_counts(verdict_names, interface.stats.packets)},
      {"bytes", interface.stats.bytes},
      {"unparsed", named_counts(unparsed_names, interface.stats.unparsed)},
      {"untracked", named_counts(untracked_names, interface.stats.untracked)},
  };
}

Json zone_json(const ZoneSnapshot& zone) {
  const TableSnapshot& half_open = zone.tables[XF_TABLE_HALF_OPEN];
  const TableSnapshot& established = zone.tables[XF_TABLE_ESTABLISHED];
  return {
      {"name", zone.name},
      {"max_flows", established.capacity},
      {"max_half_open", half_open.capacity},
      {"established", flows_by_the_books(zone, XF_TABLE_ESTABLISHED)},
      {"half_open", flows_by_the_books(zone, XF_TABLE_HALF_OPEN)},
      {"orphans", orphans(zone)},
      {"promote_packets", zone.promote_packets},
      {"created", zone.stats.created},
      {"promoted", zone.stats.promoted},
      {"ended",
       {{"half_open", named_counts(reason_names, zone.stats.ended[XF_TABLE_HALF_OPEN])},
        {"established", named_counts(reason_names, zone.stats.ended[XF_TABLE_ESTABLISHED])}}},
      {"evicted", {{"half_open", half_open.evicted}, {"established", established.evicted}}},
      {"resizing", {{"half_open", half_open.former}, {"established", established.former}}},
      {"counted", {{"half_open", or_null(half_open.counted)}, {"established", or_null(established.counted)}}},
  };
}

Json targets_json(const Snapshot& snapshot) {
  const HealthCounts counts = count_health(snapshot.targets);
  return {{"up", counts.up}, {"down", counts.down}, {"unknown", counts.unknown}};
}

}  // namespace

std::string status_json(const StatusReport& report) {
  const Snapshot& snapshot = report.snapshot;
  Json interfaces = Json::array();
  for (const InterfaceSnapshot& interface : snapshot.interfaces)
    interfaces.push_back(interface_json(interface));
  Json zones = Json::array();
  for (const ZoneSnapshot& zone : snapshot.zones) zones.push_back(zone_json(zone));
  const Json document = {
      {"version", report.version},
      {"kernel", report.kernel},
      {"generation", snapshot.control.generation},
      {"data_plane_version", report.data_plane_version()},
      {"upgrade", report.upgrade ? upgrade_json(*report.upgrade) : Json(nullptr)},
      {"daemon", daemon_json(report)},
      {"interfaces", std::move(interfaces)},
      {"zones", std::move(zones)},
      {"targets", targets_json(snapshot)},
      {"lost", named_counts(lost_names, snapshot.global.lost)},
      {"timer_init_failures", named_counts(timer_failure_names, snapshot.global.timer_failures)},
      {"errors", named_counts(error_names, snapshot.global.errors)},
  };
  // A name that is not UTF-8 (an interface may have one) must not cost the whole document.
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace xdpflowd
