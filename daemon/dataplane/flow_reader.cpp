// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/flow_reader.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "flow/decode.h"

namespace xdpflowd {

namespace {

struct HashKey {
  size_t operator()(const xf_flow_key& key) const {
    return std::hash<std::string_view>()({reinterpret_cast<const char*>(&key), sizeof key});
  }
};

struct SameKey {
  bool operator()(const xf_flow_key& a, const xf_flow_key& b) const {
    return std::memcmp(&a, &b, sizeof a) == 0;
  }
};

using FlowsByKey = std::unordered_map<xf_flow_key, xf_flow, HashKey, SameKey>;

}  // namespace

Result<bool> FlowWalk::next(const FlowTable& table, const FlowVisitor& visit) {
  for (;;) {
    auto count = static_cast<uint32_t>(keys_.size());
    const int failed = bpf_map_lookup_batch(table.fd(), started_ ? &position_ : nullptr, &position_,
                                            keys_.data(), flows_.data(), &count, nullptr);
    started_ = true;
    if (failed == 0 || failed == -ENOENT) {
      for (uint32_t i = 0; i < count; ++i) visit(keys_[i], flows_[i]);
      return failed == 0;
    }
    if (failed != -ENOSPC) return system_error(failed, "cannot read " + table.name());
    // The next bucket holds more flows than fit.
    keys_.resize(2 * keys_.size());
    flows_.resize(2 * flows_.size());
  }
}

Status for_each_flow(const FlowTable& table, const FlowVisitor& visit) {
  FlowWalk walk;
  for (;;) {
    auto more = walk.next(table, visit);
    if (!more) return more.error();
    if (!*more) return ok();
  }
}

namespace {

/// The live flows of both tables of a resize. One that moves meanwhile may be shown twice: as it was, then as
/// it is.
Status for_each_live(const PinnedZone& zone, xf_table table, const FlowVisitor& visit) {
  const FlowVisitor live = [&](const xf_flow_key& key, const xf_flow& flow) {
    if (is_live(flow)) visit(key, flow);
  };
  if (zone.former[table])
    if (auto read = for_each_flow(*zone.former[table], live); !read) return read;
  return for_each_flow(zone.tables[table], live);
}

}  // namespace

Status read_flows(const PinnedState& state, unsigned zone_index, const ZoneFlowVisitor& visit) {
  const PinnedZone* zone = state.find_zone(zone_index);
  if (!zone) return fail("there is no zone with index " + std::to_string(zone_index));
  // Half-open flows are held back until the established ones have shown which of them were promoted
  // meanwhile.
  FlowsByKey half_open, moving;
  auto read = for_each_live(*zone, XF_TABLE_HALF_OPEN, [&](const auto& key, const auto& flow) {
    half_open.insert_or_assign(key, flow);
  });
  if (!read) return read;
  const auto show = [&](const xf_flow_key& key, const xf_flow& flow) {
    half_open.erase(key);
    visit(XF_TABLE_ESTABLISHED, key, flow);
  };
  if (zone->former[XF_TABLE_ESTABLISHED]) {
    read = for_each_live(*zone, XF_TABLE_ESTABLISHED,
                         [&](const auto& key, const auto& flow) { moving.insert_or_assign(key, flow); });
    for (const auto& [key, flow] : moving) show(key, flow);
  } else {
    read = for_each_live(*zone, XF_TABLE_ESTABLISHED, show);
  }
  if (!read) return read;
  for (const auto& [key, flow] : half_open) visit(XF_TABLE_HALF_OPEN, key, flow);
  if (!state.is_current())
    return Error{"a flow table was replaced while it was read", ESTALE, Error::Kind::failed};
  return ok();
}

}  // namespace xdpflowd
