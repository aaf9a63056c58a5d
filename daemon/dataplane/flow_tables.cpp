// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/flow_tables.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "base/unique_fd.h"
#include "dataplane/map_view.h"
#include "dataplane/pin_paths.h"
#include "dataplane/table_swap.h"

namespace xdpflowd {
namespace {

using ZoneMap = ArrayMap<xf_zone>;

/// Without a pin and a daemon that holds it a table lost its timers, not its flows: those move into a new
/// one, as in a resize, and get timers there.
Status replace_unpinned(const FlowTypes& types, const ZoneSettings& zone, xf_table table,
                        const TablePlace& place, const UniqueFd& unpinned) {
  log::warn("{} is missing: its flows move into a new table", place.pin);
  if (bpf_obj_pin(unpinned.get(), place.pin.c_str()) != 0)
    return system_error(errno, "cannot pin " + place.pin);
  auto made = make_table(types, zone.name, table, size_of(zone, table), place.former_pin);
  return made ? swap_tables(place) : Status(made.error());
}

/// A table that is there keeps its size for now: resizing it is for when the data plane runs.
Result<FlowTable> open_or_make(const FlowTypes& types, const ZoneSettings& zone, xf_table table,
                               const TablePlace& place) {
  auto pinned = FlowTable::open_pin(place.pin, BPF_MAP_TYPE_LRU_HASH);
  if (pinned || pinned.error().code != ENOENT) return pinned;
  const uint32_t in_use = table_id_in(place.tables, place.index);
  if (in_use == 0) return make_table(types, zone.name, table, size_of(zone, table), place.pin);
  const UniqueFd unpinned(bpf_map_get_fd_by_id(in_use));
  if (!unpinned) {
    log::warn("{} is missing, and what was in it is lost", place.pin);
    return make_table(types, zone.name, table, size_of(zone, table), place.pin);
  }
  if (auto replaced = replace_unpinned(types, zone, table, place, unpinned); !replaced)
    return replaced.error();
  return FlowTable::open_pin(place.pin, BPF_MAP_TYPE_LRU_HASH);
}

bool is_in_place(const TablePlace& place, int table) {
  const uint32_t in_use = table_id_in(place.tables, place.index);
  return in_use != 0 && in_use == map_id_of(table);
}

Status make_folders(const std::string& state_dir, const std::string& zone) {
  for (const auto& folder : {zones_dir(state_dir), zone_dir(state_dir, zone)})
    if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
      return system_error(errno, "cannot make " + folder);
  return ok();
}

/// Both tables of a zone, in `tables`; their sizes into `entry`.
Status make_tables(const ZoneMaps& maps, const FlowTypes& types, const std::string& state_dir,
                   const ZoneSettings& zone, uint32_t index, xf_zone& entry) {
  if (auto made = make_folders(state_dir, zone.name); !made) return made;
  for (const auto table : {XF_TABLE_HALF_OPEN, XF_TABLE_ESTABLISHED}) {
    const auto place = place_of(maps.tables, maps.former_tables, state_dir, zone.name, index, table);
    if (auto settled = settle_swap(place); !settled) return settled;
    auto made = open_or_make(types, zone, table, place);
    if (!made) return made.error();
    if (!is_in_place(place, made->fd()))
      if (auto put = put_in_place(place, made->fd()); !put) return put;
    (table == XF_TABLE_HALF_OPEN ? entry.max_half_open : entry.max_flows) = made->max_entries();
    log::info("zone {}: table {}, {} flows, {}", zone.name, table_name(table), made->max_entries(),
              readable_bytes(flow_table_bytes(made->max_entries())));
  }
  return ok();
}

/// Names by index, "" where free.
Result<std::vector<std::string>> zone_names(const ZoneMap& zones) {
  std::vector<std::string> names;
  for (uint32_t index = 0; index < zones.max_entries(); ++index) {
    auto zone = zones.get(index);
    if (!zone) return zone.error();
    names.emplace_back(zone->name, strnlen(zone->name, sizeof zone->name));
  }
  return names;
}

Result<uint32_t> index_for(std::vector<std::string>& names, const std::string& zone) {
  auto found = std::find(names.begin(), names.end(), zone);
  if (found == names.end()) found = std::find(names.begin(), names.end(), "");
  if (found == names.end())
    return fail("zone " + zone + ": there are " + std::to_string(XF_ZONES_MAX) +
                " zones already, those of earlier configurations included; `xdpflowctl unload` forgets them");
  *found = zone;
  return static_cast<uint32_t>(found - names.begin());
}

}  // namespace

Result<ZoneIndexes> make_zones(const ZoneMaps& maps, const FlowTypes& types, const std::string& state_dir,
                               const std::vector<ZoneSettings>& configured) {
  auto zones = ZoneMap::of_fd(maps.zones, "zones", BPF_MAP_TYPE_ARRAY);
  if (!zones) return zones.error();
  auto names = zone_names(*zones);
  if (!names) return names.error();
  ZoneIndexes indexes;
  uint64_t bytes = 0;
  for (const auto& zone : configured) {
    auto index = index_for(*names, zone.name);
    if (!index) return index.error();
    xf_zone entry{};
    zone.name.copy(entry.name, sizeof entry.name - 1);
    entry.promote_packets = zone.promote_packets;
    if (auto made = make_tables(maps, types, state_dir, zone, *index, entry); !made) return made.error();
    if (auto set = zones->set(*index, entry); !set) return set.error();
    bytes += flow_table_bytes(entry.max_flows) + flow_table_bytes(entry.max_half_open);
    indexes[zone.name] = static_cast<uint8_t>(*index);
  }
  log::info("flow tables of {} zone(s): {}", configured.size(), readable_bytes(bytes));
  return indexes;
}

void report_leftover_zones(const ZoneMaps& maps, const ZoneIndexes& configured) {
  const auto zones = ZoneMap::of_fd(maps.zones, "zones", BPF_MAP_TYPE_ARRAY);
  const auto names = zones ? zone_names(*zones) : Result<std::vector<std::string>>(zones.error());
  if (!names) return log::warn("{}", names.error().message);
  for (const auto& name : *names)
    if (!name.empty() && !configured.contains(name))
      log::info(
          "zone {} is no longer configured: its flows expire, its tables stay until `xdpflowctl unload`",
          name);
}

}  // namespace xdpflowd
