// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/flow_reader.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace xdpflowd {

namespace {

/// One system call's worth of flows, about 600 KB.
constexpr uint32_t kBatch = 4096;

struct Batch {
  std::vector<xf_flow_key> keys{kBatch};
  std::vector<xf_flow> flows{kBatch};
  uint32_t count = 0;
  uint32_t position = 0;  // the kernel's: a bucket of the hash
  bool started = false;
};

/// Fills `batch` with the next flows; false when these were the last.
Result<bool> next_batch(const FlowTable& table, Batch& batch) {
  for (;;) {
    batch.count = static_cast<uint32_t>(batch.keys.size());
    const int failed =
        bpf_map_lookup_batch(table.fd(), batch.started ? &batch.position : nullptr, &batch.position,
                             batch.keys.data(), batch.flows.data(), &batch.count, nullptr);
    batch.started = true;
    if (failed == 0) return true;
    if (failed == -ENOENT) return false;
    if (failed != -ENOSPC) return system_error(failed, "cannot read " + table.name());
    // The next bucket holds more flows than fit.
    batch.keys.resize(2 * batch.keys.size());
    batch.flows.resize(2 * batch.flows.size());
  }
}

bool is_live(const xf_flow& flow) {
  return (flow.phase & 0xff) == XF_PHASE_LIVE;
}

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

Status for_each_flow(const FlowTable& table, const FlowVisitor& visit) {
  Batch batch;
  for (;;) {
    auto more = next_batch(table, batch);
    if (!more) return more.error();
    for (uint32_t i = 0; i < batch.count; ++i) visit(batch.keys[i], batch.flows[i]);
    if (!*more) return ok();
  }
}

Status for_each_flow(const PinnedState& state, unsigned zone_index, xf_table table,
                     const FlowVisitor& visit) {
  const PinnedZone* zone = state.find_zone(zone_index);
  if (!zone) return fail("there is no zone with index " + std::to_string(zone_index));
  return for_each_flow(zone->tables[table], visit);
}

Status read_flows(const PinnedState& state, unsigned zone_index, const ZoneFlowVisitor& visit) {
  // Half-open flows are held back until the established ones have shown which of them were promoted
  // meanwhile.
  FlowsByKey half_open;
  auto read = for_each_flow(state, zone_index, XF_TABLE_HALF_OPEN, [&](const auto& key, const auto& flow) {
    if (is_live(flow)) half_open.emplace(key, flow);
  });
  if (!read) return read;
  read = for_each_flow(state, zone_index, XF_TABLE_ESTABLISHED, [&](const auto& key, const auto& flow) {
    if (!is_live(flow)) return;
    half_open.erase(key);
    visit(XF_TABLE_ESTABLISHED, key, flow);
  });
  if (!read) return read;
  for (const auto& [key, flow] : half_open) visit(XF_TABLE_HALF_OPEN, key, flow);
  return ok();
}

}  // namespace xdpflowd
