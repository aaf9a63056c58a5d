// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/flow_tables.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"
#include "dataplane/map_view.h"
#include "dataplane/pin_paths.h"

namespace xdpflowd {
namespace {

using FlowTable = Map<xf_flow_key, xf_flow>;
using ZoneMap = ArrayMap<xf_zone>;

const char* table_name(xf_table table) {
  return table == XF_TABLE_HALF_OPEN ? "half_open" : "established";
}
const char* config_key(xf_table table) {
  return table == XF_TABLE_HALF_OPEN ? "max_half_open" : "max_flows";
}

/// The types of a flow table: the kernel finds the timer in the value by them.
struct FlowTypes {
  int btf_fd;
  uint32_t key;
  uint32_t value;
};

Result<FlowTypes> flow_types(const bpf_object* owner) {
  const btf* types = bpf_object__btf(owner);
  const int key = btf__find_by_name_kind(types, "xf_flow_key", BTF_KIND_STRUCT);
  const int value = btf__find_by_name_kind(types, "xf_flow", BTF_KIND_STRUCT);
  const int fd = bpf_object__btf_fd(owner);
  if (key < 0 || value < 0 || fd < 0)
    return fail("the embedded admin object has no type information for flows");
  return FlowTypes{fd, static_cast<uint32_t>(key), static_cast<uint32_t>(value)};
}

Error cannot_make(int code, const ZoneSettings& zone, xf_table table, uint32_t size) {
  const auto key = "[zone." + zone.name + "] " + config_key(table) + " = " + std::to_string(size);
  if (code != ENOMEM && code != E2BIG) return system_error(code, key + ": cannot make the flow table");
  Error error = fail(key + ": the kernel has no memory for it (needs about " +
                     readable_bytes(flow_table_bytes(size)) + "): lower it");
  error.code = code;
  return error;
}

Result<FlowTable> make_table(const FlowTypes& types, const ZoneSettings& zone, xf_table table, uint32_t size,
                             const std::string& pin) {
  bpf_map_create_opts options{};
  options.sz = sizeof options;
  options.btf_fd = static_cast<__u32>(types.btf_fd);
  options.btf_key_type_id = types.key;
  options.btf_value_type_id = types.value;
  const UniqueFd made(bpf_map_create(BPF_MAP_TYPE_LRU_HASH, table_name(table), sizeof(xf_flow_key),
                                     sizeof(xf_flow), size, &options));
  if (!made) return cannot_make(errno, zone, table, size);
  if (bpf_obj_pin(made.get(), pin.c_str()) != 0) return system_error(errno, "cannot pin " + pin);
  return FlowTable::of_fd(made.get(), pin, BPF_MAP_TYPE_LRU_HASH);
}

Result<FlowTable> open_or_make(const FlowTypes& types, const ZoneSettings& zone, xf_table table,
                               const std::string& state_dir) {
  const auto size = table == XF_TABLE_HALF_OPEN ? zone.max_half_open : zone.max_flows;
  const auto pin = table_pin(state_dir, zone.name, table);
  auto pinned = FlowTable::open_pin(pin, BPF_MAP_TYPE_LRU_HASH);
  if (!pinned && pinned.error().code == ENOENT) return make_table(types, zone, table, size, pin);
  if (pinned && pinned->max_entries() != size)
    spdlog::warn(
        "[zone.{}] {} = {}: the loaded table keeps its {} flows, live resize is not part of this version; "
        "`xdpflowctl unload` and start anew",
        zone.name, config_key(table), size, pinned->max_entries());
  return pinned;
}

Status make_folders(const std::string& state_dir, const std::string& zone) {
  for (const auto& folder : {zones_dir(state_dir), zone_dir(state_dir, zone)})
    if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
      return system_error(errno, "cannot make " + folder);
  return ok();
}

/// Both tables of a zone, in `tables`; their sizes into `entry`.
Status make_tables(const bpf_object* owner, const std::string& state_dir, const ZoneSettings& zone,
                   uint32_t index, xf_zone& entry) {
  if (auto made = make_folders(state_dir, zone.name); !made) return made;
  auto types = flow_types(owner);
  if (!types) return types.error();
  const int outer = bpf_object__find_map_fd_by_name(owner, "tables");
  for (const auto table : {XF_TABLE_HALF_OPEN, XF_TABLE_ESTABLISHED}) {
    auto made = open_or_make(*types, zone, table, state_dir);
    if (!made) return made.error();
    const uint32_t slot = index * XF_TABLES + table;
    const int inner = made->fd();
    if (bpf_map_update_elem(outer, &slot, &inner, BPF_ANY) != 0)
      return system_error(errno, "cannot put the tables of zone " + zone.name + " in place");
    (table == XF_TABLE_HALF_OPEN ? entry.max_half_open : entry.max_flows) = made->max_entries();
    spdlog::info("zone {}: table {}, {} flows, {}", zone.name, table_name(table), made->max_entries(),
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

void report_leftovers(const std::vector<std::string>& names, const ZoneIndexes& indexes) {
  for (const auto& name : names)
    if (!name.empty() && !indexes.contains(name))
      spdlog::info(
          "zone {} is no longer configured: its flows expire, its tables stay until `xdpflowctl unload`",
          name);
}

}  // namespace

Result<ZoneIndexes> make_zones(const bpf_object* owner, const std::string& state_dir,
                               const std::vector<ZoneSettings>& configured) {
  auto zones = ZoneMap::of_fd(bpf_object__find_map_fd_by_name(owner, "zones"), "zones", BPF_MAP_TYPE_ARRAY);
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
    if (auto made = make_tables(owner, state_dir, zone, *index, entry); !made) return made.error();
    if (auto set = zones->set(*index, entry); !set) return set.error();
    bytes += flow_table_bytes(entry.max_flows) + flow_table_bytes(entry.max_half_open);
    indexes[zone.name] = static_cast<uint8_t>(*index);
  }
  report_leftovers(*names, indexes);
  spdlog::info("flow tables of {} zone(s): {}", configured.size(), readable_bytes(bytes));
  return indexes;
}

}  // namespace xdpflowd
