// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/target_plan.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

namespace xdpflowd {
namespace {

uint64_t nanoseconds(std::chrono::nanoseconds duration) {
  return static_cast<uint64_t>(duration.count());
}

xf_health health_of(InitialState initial) {
  switch (initial) {
    case InitialState::up:
      return XF_HEALTH_UP;
    case InitialState::down:
      return XF_HEALTH_DOWN;
    default:
      return XF_HEALTH_UNKNOWN;
  }
}

xf_target_config config_of(const TargetSettings& wanted) {
  xf_target_config config{};
  wanted.name.copy(config.name, sizeof config.name - 1);
  config.address = address_of(wanted.address);
  config.interval_ns = nanoseconds(wanted.interval);
  config.down_interval_ns = nanoseconds(wanted.down_interval);
  config.timeout_ns = nanoseconds(wanted.timeout);
  config.fall = wanted.fall;
  config.rise = wanted.rise;
  config.weight = wanted.weight;
  config.port = htons(wanted.port);
  config.probe = static_cast<__u8>(wanted.probe);
  config.initial = static_cast<__u8>(health_of(wanted.initial));
  config.refused_is_up = wanted.refused_is_up;
  config.payload_length = static_cast<__u16>(wanted.payload.size());
  config.expect_length = static_cast<__u16>(wanted.expect.size());
  std::memcpy(config.payload, wanted.payload.data(), wanted.payload.size());
  std::memcpy(config.expect, wanted.expect.data(), wanted.expect.size());
  return config;
}

bool is_same_service(const xf_target_config& a, const xf_target_config& b) {
  return is_same(a.address, b.address) && a.probe == b.probe && a.port == b.port;
}

/// Those of the same probe, in the order of the configuration: the first is probed, and tells the others.
void link_sharers(std::vector<PlannedTarget>& targets) {
  using Probe = std::tuple<std::string_view, ProbeKind, uint16_t, std::string_view, std::string_view>;
  std::map<Probe, PlannedTarget*> last;
  for (auto& target : targets) {
    const auto& wanted = *target.wanted;
    auto& before = last[{wanted.address, wanted.probe, wanted.port, wanted.source, wanted.interface}];
    target.config.first_sharer = before ? before->config.first_sharer : target.index;
    if (before) before->config.next_sharer = target.index;
    before = &target;
  }
}

}  // namespace

TargetPlan plan_targets(const std::vector<TargetSettings>& wanted, const std::vector<Target>& known) {
  std::unordered_map<std::string_view, const Target*> by_name;
  uint32_t last_index = 0;
  for (const auto& target : known) {
    by_name[target.config.name] = &target;
    last_index = std::max(last_index, target.index);
  }
  TargetPlan plan;
  std::unordered_set<uint32_t> kept;
  for (const auto& each : wanted) {
    PlannedTarget planned{.wanted = &each, .config = config_of(each)};
    const auto found = by_name.find(each.name);
    if (found != by_name.end() && is_same_service(found->second->config, planned.config))
      planned.before = &found->second->config;
    planned.index = planned.before ? found->second->index : ++last_index;
    kept.insert(planned.index);
    plan.targets.push_back(planned);
  }
  link_sharers(plan.targets);
  for (const auto& target : known)
    if (!kept.contains(target.index)) plan.gone.push_back(target);
  return plan;
}

xf_addr address_of(const std::string& text) {
  xf_addr address{};
  if (inet_pton(AF_INET6, text.c_str(), &address) == 1 || text.empty()) return address;
  address.word[2] = htonl(0xffff);
  inet_pton(AF_INET, text.c_str(), &address.word[3]);
  return address;
}

bool is_same(const xf_addr& a, const xf_addr& b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

xf_probe_key key_of(const xf_target_config& config) {
  xf_probe_key key{};
  key.peer = config.address;
  key.probe = config.probe;
  if (config.probe == XF_PROBE_ARP) return key;
  key.own = config.source;
  key.peer_port = config.port;
  return key;
}

}  // namespace xdpflowd
