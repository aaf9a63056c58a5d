// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/configuration.h"

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

namespace xdpflowd {
namespace {

using RuleName = std::pair<uint32_t, uint16_t>;

RuleName name_of(const xf_zone_rule_key& key) {
  return {key.ifindex, key.vlan};
}

/// Only rules for vlan 0 are in the cache, of interfaces within it.
Status cache_rule(const PinnedState& state, const xf_zone_rule_key& key, const xf_cached_rule& rule) {
  if (key.vlan != 0 || key.ifindex >= XF_RULE_CACHE_SIZE) return ok();
  return state.rule_cache().set(key.ifindex, rule);
}

Status write_rule(const PinnedState& state, const ZoneRule& rule) {
  if (auto set = state.zone_rules().set(rule.key, rule.rule); !set) return set;
  return cache_rule(state, rule.key, {rule.rule, 1});
}

Status erase_rule(const PinnedState& state, const xf_zone_rule_key& key) {
  if (auto forgotten = cache_rule(state, key, {}); !forgotten) return forgotten;
  auto erased = state.zone_rules().erase(key);
  return !erased && erased.error().code == ENOENT ? ok() : erased;
}

/// What runs already keeps its mode.
Status write_interface(const PinnedState& state, uint16_t index, const InterfacePlan& plan,
                       uint32_t ifindex) {
  auto entry = state.interfaces().get(index);
  if (!entry) return entry.error();
  std::ranges::fill(entry->name, '\0');
  plan.name.copy(entry->name, sizeof entry->name - 1);
  if (entry->ifindex != ifindex) entry->mode = XF_MODE_DETACHED;
  entry->ifindex = ifindex;
  entry->zone = plan.zone;
  return state.interfaces().set(index, *entry);
}

/// Gives out places in the map `interfaces`.
class Places {
 public:
  Places(const PinnedState& state, const std::vector<PinnedInterface>& known,
         const std::vector<InterfacePlan>& plans)
      : state_(state), names_(state.interfaces().max_entries()) {
    for (const auto& [index, interface] : known) {
      names_[index] = interface.name;
      const bool wanted = std::ranges::find(plans, names_[index], &InterfacePlan::name) != plans.end();
      if (!wanted && interface.ifindex == 0) spare_.push_back(static_cast<uint16_t>(index));
    }
  }

  Result<uint16_t> place_of(const std::string& name) {
    auto place = std::ranges::find(names_, name);
    if (place == names_.end()) place = std::ranges::find(names_, "");
    if (place == names_.end()) return recycle(name);
    *place = name;
    return static_cast<uint16_t>(place - names_.begin());
  }

 private:
  Result<uint16_t> recycle(const std::string& name) {
    if (spare_.empty())
      return fail("interface " + name + ": there are " + std::to_string(names_.size()) +
                  " interfaces already");
    const auto index = spare_.back();
    spare_.pop_back();
    if (auto cleared = state_.interface_stats().clear(index); !cleared) return cleared.error();
    names_[index] = name;
    return index;
  }

  const PinnedState& state_;
  std::vector<std::string> names_;  // by place, "" where free
  std::vector<uint16_t> spare_;     // of devices that are gone and not wanted
};

}  // namespace

ZoneIndexes zone_indexes(const PinnedState& state) {
  ZoneIndexes indexes;
  for (const auto& zone : state.zones()) indexes[zone.zone.name] = static_cast<uint8_t>(zone.index);
  return indexes;
}

Status write_timeouts(const PinnedState& state, const Timeouts& configured) {
  const auto slots = timeout_slots(configured);
  for (uint32_t slot = 0; slot < slots.size(); ++slot)
    if (auto set = state.timeouts().set(slot, slots[slot]); !set) return set;
  return ok();
}

Status write_promote_packets(const PinnedState& state, const std::string& zone, uint32_t promote_packets) {
  for (const auto& pinned : state.zones()) {
    if (zone != pinned.zone.name) continue;
    auto entry = state.zone_table().get(pinned.index);
    if (!entry) return entry.error();
    entry->promote_packets = promote_packets;
    return state.zone_table().set(pinned.index, *entry);
  }
  return fail("there is no zone " + zone + " in the data plane");
}

Status write_records_enabled(const PinnedState& state, bool enabled) {
  auto control = state.control().get(0);
  if (!control) return control.error();
  control->records_enabled = enabled ? 1 : 0;
  return state.control().set(0, *control);
}

Result<std::vector<uint16_t>> interface_indexes(const PinnedState& state,
                                                const std::vector<InterfacePlan>& plans) {
  auto known = state.read_interfaces();
  if (!known) return known.error();
  Places places(state, *known, plans);
  std::vector<uint16_t> indexes;
  for (const auto& plan : plans) {
    auto index = places.place_of(plan.name);
    if (!index) return index.error();
    indexes.push_back(*index);
  }
  return indexes;
}

Status enter_hook(const PinnedState& state, const Hook& hook, std::vector<ZoneRule>& rules) {
  if (auto written = write_interface(state, hook.index, hook.plan, hook.ifindex); !written) return written;
  if (hook.ifindex != 0)
    for (const auto& rule : zone_rules_of(hook.plan, hook.ifindex, hook.index)) rules.push_back(rule);
  return ok();
}

Status write_attachment(const PinnedState& state, uint16_t index, xf_mode mode, bool dispatcher) {
  auto entry = state.interfaces().get(index);
  if (!entry) return entry.error();
  entry->mode = static_cast<__u8>(mode);
  entry->dispatcher = dispatcher;
  return state.interfaces().set(index, *entry);
}

Status write_absence(const PinnedState& state, uint16_t index) {
  auto entry = state.interfaces().get(index);
  if (!entry) return entry.error();
  entry->mode = XF_MODE_DETACHED;
  entry->dispatcher = 0;
  entry->ifindex = 0;
  return state.interfaces().set(index, *entry);
}

Status write_zone_rules(const PinnedState& state, const std::vector<ZoneRule>& rules) {
  std::set<RuleName> wanted;
  for (const auto& rule : rules) {
    if (auto written = write_rule(state, rule); !written) return written;
    wanted.insert(name_of(rule.key));
  }
  auto keys = state.zone_rules().keys();
  if (!keys) return keys.error();
  for (const auto& key : *keys) {
    if (wanted.contains(name_of(key))) continue;
    if (auto erased = erase_rule(state, key); !erased) return erased;
  }
  return ok();
}

}  // namespace xdpflowd
