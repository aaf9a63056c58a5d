// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/plan.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <limits>

namespace xdpflowd {
namespace {

// Of a preallocated LRU hash: struct htab_elem, and a bucket's list head and lock.
constexpr uint64_t element_head = 48;
constexpr uint64_t bucket_size = 16;

constexpr unsigned half_open_row = unsigned{XF_TABLE_HALF_OPEN} * XF_TIMEOUTS;
constexpr unsigned established_row = unsigned{XF_TABLE_ESTABLISHED} * XF_TIMEOUTS;

constexpr uint32_t ended_at_least = 4096;
constexpr uint32_t ended_at_most = 131072;

uint64_t half_open_timeout(const Timeouts& configured, unsigned timeout) {
  auto capped = configured[timeout];
  if (timeout <= XF_TIMEOUT_TCP_CLOSE) capped = std::min(capped, configured[XF_TIMEOUT_TCP_SYN_SENT]);
  if (timeout == XF_TIMEOUT_UDP_STREAM) capped = std::min(capped, configured[XF_TIMEOUT_UDP]);
  return static_cast<uint64_t>(capped.count());
}

InterfacePlan& plan_named(std::vector<InterfacePlan>& plans, const InterfaceSettings& entry) {
  const auto same = [&](const InterfacePlan& plan) { return plan.name == entry.name; };
  const auto found = std::find_if(plans.begin(), plans.end(), same);
  if (found != plans.end()) return *found;
  plans.push_back({entry.name, entry.mode, XF_NO_ZONE, {}});
  return plans.back();
}

}  // namespace

std::array<uint64_t, XF_TIMEOUT_SLOTS> timeout_slots(const Timeouts& configured) {
  std::array<uint64_t, XF_TIMEOUT_SLOTS> slots{};
  for (unsigned timeout = 0; timeout < XF_TIMEOUTS; ++timeout) {
    slots[half_open_row + timeout] = half_open_timeout(configured, timeout);
    slots[established_row + timeout] = static_cast<uint64_t>(configured[timeout].count());
  }
  return slots;
}

std::vector<InterfacePlan> plan_interfaces(const std::vector<InterfaceSettings>& configured,
                                           const ZoneIndexes& zones) {
  std::vector<InterfacePlan> plans;
  for (const auto& entry : configured) {
    auto& plan = plan_named(plans, entry);
    if (entry.vlan) {
      plan.vlans[*entry.vlan] = zones.at(entry.zone);
    } else {
      plan.zone = zones.at(entry.zone);
      plan.mode = entry.mode;
    }
  }
  return plans;
}

std::vector<ZoneRule> zone_rules_of(const InterfacePlan& plan, uint32_t ifindex, uint16_t index) {
  std::vector<ZoneRule> rules;
  const auto has_vlans = static_cast<__u8>(!plan.vlans.empty());
  rules.push_back({{ifindex, 0, 0}, {index, plan.zone, has_vlans}});
  for (const auto& [vlan, zone] : plan.vlans) rules.push_back({{ifindex, vlan, 0}, {index, zone, 0}});
  return rules;
}

uint32_t size_of(const ZoneSettings& zone, xf_table table) {
  return table == XF_TABLE_HALF_OPEN ? zone.max_half_open : zone.max_flows;
}

uint64_t flow_table_bytes(uint32_t flows) {
  constexpr uint64_t element = element_head + sizeof(xf_flow_key) + sizeof(xf_flow);
  return flows * element + std::bit_ceil(static_cast<uint64_t>(flows)) * bucket_size;
}

uint64_t queue_bytes(uint32_t elements, size_t element_size) {
  return (static_cast<uint64_t>(elements) + 1) * element_size;
}

QueueSizes queue_sizes(uint64_t flows) {
  const auto all = static_cast<uint32_t>(std::min<uint64_t>(flows, std::numeric_limits<uint32_t>::max() - 1));
  return {std::clamp(all, ended_at_least, ended_at_most), std::max(all, 1u)};
}

uint64_t total_flows(const std::vector<ZoneSettings>& zones) {
  uint64_t sum = 0;
  for (const auto& zone : zones) sum += uint64_t{zone.max_flows} + zone.max_half_open;
  return sum;
}

std::string readable_bytes(uint64_t bytes) {
  constexpr std::array<const char*, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}

}  // namespace xdpflowd
