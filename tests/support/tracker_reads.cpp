// SPDX-License-Identifier: GPL-2.0-or-later
// What a test reads back: tables, counters, rings.
#include <bpf/bpf.h>

#include <array>
#include <cstring>
#include <numeric>
#include <stdexcept>

#include "dataplane/census_client.h"
#include "flow/ledger.h"
#include "support/must.h"
#include "support/process.h"
#include "support/tracker.h"

namespace xdpflowd::test {

namespace {

std::vector<Entry> live_in(int fd, size_t limit) {
  std::vector<Entry> found;
  xf_flow_key key{}, next{};
  for (const void* from = nullptr; found.size() < limit && bpf_map_get_next_key(fd, from, &next) == 0;
       from = &key) {
    key = next;
    xf_flow flow{};
    if (bpf_map_lookup_elem(fd, &key, &flow) == 0 && (flow.phase & 0xff) == XF_PHASE_LIVE)
      found.push_back({key, flow});
  }
  return found;
}

}  // namespace

std::vector<Entry> Tracker::some_entries(xf_table which, size_t limit, unsigned zone) const {
  return live_in(table(which, zone), limit);
}

std::vector<Entry> Tracker::former_entries(xf_table which, unsigned zone) const {
  return live_in(former_.at(zone * XF_TABLES + which).get(), SIZE_MAX);
}

size_t Tracker::former_size(xf_table which, unsigned zone) const {
  const int table = former_.at(zone * XF_TABLES + which).get();
  size_t size = 0;
  xf_flow_key key{};
  for (const xf_flow_key* before = nullptr; bpf_map_get_next_key(table, before, &key) == 0; before = &key)
    size++;
  return size;
}

Entry Tracker::the_flow(unsigned zone) const {
  auto all = entries(XF_TABLE_HALF_OPEN, zone);
  for (const auto& entry : entries(XF_TABLE_ESTABLISHED, zone)) all.push_back(entry);
  if (all.size() != 1)
    throw std::runtime_error("there are " + std::to_string(all.size()) + " flows, not one");
  return all.front();
}

size_t Tracker::live(xf_table table, unsigned zone) const {
  return entries(table, zone).size();
}

namespace {

uint64_t walked(int table) {
  uint64_t count = 0;
  xf_flow_key key{};
  for (const void* from = nullptr; bpf_map_get_next_key(table, from, &key) == 0; from = &key) count++;
  return count;
}

}  // namespace

uint64_t Tracker::counted(xf_table which, unsigned zone) const {
  if (const census_bpf* program = census()) {
    const auto told = CensusClient(bpf_program__fd(program->progs.census)).count(zone * XF_TABLES + which);
    if (!told) throw std::runtime_error(told.error().message);
    if (*told) return (*told)->elements;
  }
  const auto& former = former_.at(zone * XF_TABLES + which);
  return walked(table(which, zone)) + (former ? walked(former.get()) : 0);
}

bool Tracker::watch_crowds() const {
  const census_bpf* program = census();
  if (!program) return false;
  const CensusClient client(bpf_program__fd(program->progs.census));
  if (auto watched = client.watch(); !watched) throw std::runtime_error(watched.error().message);
  const auto told = client.count(0);
  return told && *told;
}

int64_t Tracker::evicted(xf_table table, unsigned zone) const {
  const auto stats = zone_stats(zone);
  return eviction_estimate(stats, table, counted(table, zone));
}

bool Tracker::empties(std::chrono::milliseconds timeout, unsigned zone) const {
  return eventually(
      timeout, [&] { return counted(XF_TABLE_HALF_OPEN, zone) + counted(XF_TABLE_ESTABLISHED, zone) == 0; });
}

template <class Value>
Value Tracker::per_cpu_sum(int map, uint32_t key) const {
  static_assert(sizeof(Value) % sizeof(uint64_t) == 0);
  constexpr size_t words = sizeof(Value) / sizeof(uint64_t);
  const auto cpus = static_cast<size_t>(libbpf_num_possible_cpus());
  std::vector<uint64_t> raw(words * cpus);
  must(bpf_map_lookup_elem(map, &key, raw.data()), "read a per-CPU map");
  std::array<uint64_t, words> sum{};
  for (size_t i = 0; i < raw.size(); i++) sum[i % words] += raw[i];
  Value value;
  std::memcpy(&value, sum.data(), sizeof value);
  return value;
}

xf_interface_stats Tracker::interface_stats() const {
  return per_cpu_sum<xf_interface_stats>(bpf_map__fd(xdpflow_->maps.interface_stats), 0);
}

xf_zone_stats Tracker::zone_stats(unsigned zone) const {
  return per_cpu_sum<xf_zone_stats>(bpf_map__fd(xdpflow_->maps.zone_stats), zone);
}

xf_global_stats Tracker::global_stats() const {
  return per_cpu_sum<xf_global_stats>(bpf_map__fd(xdpflow_->maps.global_stats), 0);
}

uint64_t Tracker::ended(unsigned zone) const {
  const auto stats = zone_stats(zone);
  uint64_t sum = 0;
  for (const auto& by_reason : stats.ended)
    sum = std::accumulate(std::begin(by_reason), std::end(by_reason), sum);
  return sum;
}

xf_reaper Tracker::reaper() const {
  xf_reaper reaper{};
  const uint32_t key = 0;
  must(bpf_map_lookup_elem(bpf_map__fd(xdpflow_->maps.reaper), &key, &reaper), "read the reaper");
  return reaper;
}

xf_histogram Tracker::histogram(xf_histogram_index index) const {
  return per_cpu_sum<xf_histogram>(bpf_map__fd(xdpflow_->maps.histograms), index);
}

template <class Record>
std::vector<Record> Tracker::drain(bpf_map* map) const {
  auto view = RawMap::of_fd(bpf_map__fd(map), bpf_map__name(map), {BPF_MAP_TYPE_RINGBUF, 0, 0});
  if (!view) throw std::runtime_error(view.error().message);
  auto ring = EventRing::open(*view);
  if (!ring) throw std::runtime_error(ring.error().message);
  std::vector<Record> found;
  ring->drain(SIZE_MAX, [&](std::span<const std::byte> bytes) {
    Record record;
    if (bytes.size() != sizeof record) throw std::runtime_error("a record of another size");
    std::memcpy(&record, bytes.data(), sizeof record);
    found.push_back(record);
  });
  ring->commit();
  return found;
}

std::vector<xf_record> Tracker::records() const {
  return drain<xf_record>(xdpflow_->maps.records);
}
std::vector<xf_event> Tracker::events() const {
  return drain<xf_event>(xdpflow_->maps.events);
}

}  // namespace xdpflowd::test
