// SPDX-License-Identifier: GPL-2.0-or-later
// From settings to what stands in the maps. Pure: no kernel.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "settings/settings.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

/// The map `timeouts`: a row for each table; no half-open flow outlives its protocol's first timeout.
std::array<uint64_t, XF_TIMEOUT_SLOTS> timeout_slots(const Timeouts& configured);

/// Zone name -> index of the map `zones`.
using ZoneIndexes = std::map<std::string, uint8_t>;

/// One device: all [[interface]] entries with its name.
struct InterfacePlan {
  std::string name;
  AttachMode mode = AttachMode::automatic;
  uint8_t zone = XF_NO_ZONE;          // of untagged frames
  std::map<uint16_t, uint8_t> vlans;  // outer VLAN -> zone
};

/// A configured device, and where it is.
struct Hook {
  InterfacePlan plan;
  uint16_t index = 0;    // in the map `interfaces`
  unsigned ifindex = 0;  // 0: missing
};

/// In the order of the file. The mode is that of the entry without a VLAN, else of the first one.
std::vector<InterfacePlan> plan_interfaces(const std::vector<InterfaceSettings>& configured,
                                           const ZoneIndexes& zones);

struct ZoneRule {
  xf_zone_rule_key key;
  xf_zone_rule rule;
};

/// What `zone_rules` holds about one device; `index` is its place in `interfaces`.
std::vector<ZoneRule> zone_rules_of(const InterfacePlan& plan, uint32_t ifindex, uint16_t index);

/// Elements that the configuration wants in this table.
uint32_t size_of(const ZoneSettings& zone, xf_table table);

/// Bytes of kernel memory, estimated.
uint64_t flow_table_bytes(uint32_t flows);
uint64_t queue_bytes(uint32_t elements, size_t element_size);

struct QueueSizes {
  uint32_t ended;
  uint32_t orphans;
};

/// For tables that hold `flows` together.
QueueSizes queue_sizes(uint64_t flows);

/// Elements of both tables of all zones.
uint64_t total_flows(const std::vector<ZoneSettings>& zones);

/// "17.2 GiB"
std::string readable_bytes(uint64_t bytes);

}  // namespace xdpflowd
