// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings/interfaces.h"

#include <algorithm>
#include <map>
#include <utility>

#include "settings/suggestion.h"
#include "settings/values.h"

namespace xdpflowd {
namespace {

constexpr IntegerRange vlan_range{.least = 1, .most = 4094};

Result<InterfaceEntry> read_interface(const TomlTable& table) {
  InterfaceEntry entry{.wanted = {}, .mode = {}, .table = table};
  InterfaceSettings& wanted = entry.wanted;
  auto status = table.read({
      {"name", [&](const TomlValue& value) { return value.read(wanted.name, parse_interface_name, "eth0"); }},
      {"vlan", [&](const TomlValue& value) { return value.read(wanted.vlan, vlan_range); }},
      {"zone", [&](const TomlValue& value) { return value.read(wanted.zone, parse_zone_name, "default"); }},
      {"mode", [&](const TomlValue& value) { return value.read(entry.mode, parse_attach_mode, "auto"); }},
  });
  if (!status) return status.error();
  if (wanted.name.empty()) {
    return table.place().error("[[interface]] has no name; write name = \"eth0\" or what \"ip link\" shows");
  }
  return entry;
}

Status check_zone(const InterfaceEntry& entry, const std::vector<ZoneSettings>& zones) {
  const std::string& zone = entry.wanted.zone;
  if (std::ranges::find(zones, zone, &ZoneSettings::name) != zones.end()) return ok();

  std::vector<std::string_view> names;
  for (const ZoneSettings& known : zones) names.push_back(known.name);
  const std::string problem = entry.table.has("zone")
                                  ? in_quotes(zone) + " is not a zone of this file"
                                  : "names no zone, and this file has no zone " + in_quotes(zone);
  return entry.table.place_of("zone").error("interface: " + problem + "; add [zone." + zone +
                                            "] or name another zone (" + suggestion(zone, names) + ")");
}

/// Remembers which (name, VLAN) is taken, and by whom.
class Claims {
 public:
  Status add(const InterfaceEntry& entry) {
    const std::string& name = entry.wanted.name;
    const std::optional<uint16_t> vlan = entry.wanted.vlan;
    const FilePlace place = entry.table.place_of(vlan ? "vlan" : "name");
    const auto [first, added] = lines_.try_emplace({name, vlan}, place.line);
    if (added) return ok();
    const std::string what = in_quotes(name) + (vlan ? " with vlan " + std::to_string(*vlan) : "");
    return place.error("interface: " + what + " is already in line " + std::to_string(first->second) +
                       "; write it once, or give one of them a VLAN of its own");
  }

 private:
  std::map<std::pair<std::string, std::optional<uint16_t>>, unsigned> lines_;
};

/// One XDP program is attached to a device, whatever its VLANs: so there is one mode for each name.
class Modes {
 public:
  Status add(const InterfaceEntry& entry) {
    auto& known = modes_.try_emplace(entry.wanted.name).first->second;
    if (!entry.mode) return ok();
    const FilePlace place = entry.table.place_of("mode");
    if (known.mode && known.mode != entry.mode) {
      return place.error("interface.mode: differs from that of " + in_quotes(entry.wanted.name) +
                         " in line " + std::to_string(known.line) +
                         "; write the same mode for all VLANs of an interface");
    }
    known = {entry.mode, place.line};
    return ok();
  }

  AttachMode of(const std::string& name) const {
    return modes_.at(name).mode.value_or(AttachMode::automatic);
  }
  size_t interfaces() const { return modes_.size(); }

 private:
  struct Known {
    std::optional<AttachMode> mode;
    unsigned line = 0;
  };
  std::map<std::string, Known> modes_;
};

}  // namespace

Result<std::vector<InterfaceEntry>> read_interfaces(const TomlValue& value) {
  auto tables = value.tables();
  if (!tables) return tables.error();
  std::vector<InterfaceEntry> entries;
  for (const TomlTable& table : *tables) {
    auto entry = read_interface(table);
    if (!entry) return entry.error();
    entries.push_back(std::move(*entry));
  }
  return entries;
}

Result<std::vector<InterfaceSettings>> settle_interfaces(std::vector<InterfaceEntry> entries,
                                                         const std::vector<ZoneSettings>& zones,
                                                         const FilePlace& start_of_file) {
  if (entries.empty()) {
    return start_of_file.error(
        "no [[interface]]: nothing to attach to; add [[interface]] with name = \"eth0\"");
  }
  Claims claims;
  Modes modes;
  for (const InterfaceEntry& entry : entries) {
    if (auto status = check_zone(entry, zones); !status) return status.error();
    if (auto status = claims.add(entry); !status) return status.error();
    if (auto status = modes.add(entry); !status) return status.error();
    if (modes.interfaces() > XF_INTERFACES_MAX) {
      return entry.table.place_of("name").error("too many interfaces; at most " +
                                                std::to_string(XF_INTERFACES_MAX) +
                                                " different names are possible");
    }
  }
  std::vector<InterfaceSettings> settled;
  for (InterfaceEntry& entry : entries) {
    entry.wanted.mode = modes.of(entry.wanted.name);
    settled.push_back(std::move(entry.wanted));
  }
  return settled;
}

}  // namespace xdpflowd
