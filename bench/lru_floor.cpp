// SPDX-License-Identifier: GPL-2.0-or-later
#include "lru_floor.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "base/clock.h"
#include "dataplane/jiffies.h"

namespace xdpflowd::bench {
namespace {

/// As in floor.bpf.c.
struct Value {
  uint64_t last_seen_ns, packets, bytes;
};

constexpr uint32_t least = 1024;

}  // namespace

LruFloor::LruFloor(uint32_t flows) : floor_(floor_bpf__open(), floor_bpf__destroy) {
  if (!floor_) throw std::runtime_error("cannot open the floor");
  const auto& maps = floor_->maps;
  for (bpf_map* other : {maps.timed_flows, maps.plain_flows, maps.armed_flows})
    bpf_map__set_max_entries(other, least);
  bpf_map__set_max_entries(maps.floor_flows, flows);
  floor_->rodata->coarse_tick_ns = coarse_tick_ns();
  const auto epoch_ns = jiffies_epoch_ns();
  floor_->rodata->jiffies_epoch_ns = epoch_ns ? *epoch_ns : 0;
  if (floor_bpf__load(floor_.get()))
    throw std::runtime_error(std::string("cannot load the floor: ") + std::strerror(errno));
}

uint64_t LruFloor::bytes(const xf_flow_key& key) const {
  Value value{};
  if (bpf_map_lookup_elem(bpf_map__fd(floor_->maps.floor_flows), &key, &value)) return 0;
  return value.bytes + 1;  // the first packet makes the entry and is not counted
}

}  // namespace xdpflowd::bench
