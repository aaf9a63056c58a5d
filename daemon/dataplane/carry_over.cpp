// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/carry_over.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "base/clock.h"
#include "base/log.h"
#include "dataplane/carry_client.h"
#include "dataplane/pin_paths.h"
#include "dataplane/table_swap.h"

namespace xdpflowd {
namespace {

constexpr xf_table both_tables[] = {XF_TABLE_HALF_OPEN, XF_TABLE_ESTABLISHED};

/// An array of ours gets the elements of theirs, by index.
template <class Value>
Status reproduce_array(const FormerState& former, const bpf_object* owner, const char* map, const char* type,
                       const std::vector<Value>& values) {
  if (const auto plan = former.translator(type)) report_losses(map, *plan);
  const bpf_map* ours = bpf_object__find_map_by_name(owner, map);
  const auto size = std::min<size_t>(values.size(), bpf_map__max_entries(ours));
  for (uint32_t index = 0; index < size; ++index)
    if (bpf_map_update_elem(bpf_map__fd(ours), &index, &values[index], BPF_ANY) != 0)
      return system_error(errno, std::string("cannot write the map ") + map);
  return ok();
}

template <class Value>
Status reproduce_array(const FormerState& former, const bpf_object* owner, const char* map,
                       const char* type) {
  const auto values = former.array<Value>(map, type);
  if (values) return reproduce_array(former, owner, map, type, *values);
  log::warn("carry-over: the map {} is dropped: {}", map, values.error().message);
  return ok();
}

struct TotalsMap {
  const char* map;
  const char* type;
  xf_total total;
  size_t size;  // elements
  size_t words;
};

constexpr TotalsMap totals_maps[] = {
    {"interface_stats", "xf_interface_stats", XF_TOTAL_INTERFACE, XF_INTERFACES_MAX,
     sizeof(xf_interface_stats) / sizeof(uint64_t)},
    {"zone_stats", "xf_zone_stats", XF_TOTAL_ZONE, XF_ZONES_MAX, sizeof(xf_zone_stats) / sizeof(uint64_t)},
    {"global_stats", "xf_global_stats", XF_TOTAL_GLOBAL, 1, sizeof(xf_global_stats) / sizeof(uint64_t)},
    {"histograms", "xf_histogram", XF_TOTAL_HISTOGRAM, XF_HISTOGRAMS,
     sizeof(xf_histogram) / sizeof(uint64_t)},
};

/// Always as many rows in the same order, so that each is known by its number.
void append_rows(std::vector<xf_addend>& rows, const TotalsMap& map, const std::vector<uint64_t>& words) {
  for (uint32_t index = 0; index < map.size; ++index) {
    xf_addend& row = rows.emplace_back();
    row.head = {.row = static_cast<__u32>(rows.size() - 1), .total = map.total, .index = index, .zero = 0};
    if ((index + 1) * map.words > words.size()) continue;
    std::memcpy(row.word, words.data() + index * map.words, map.words * sizeof(uint64_t));
    // Orphans come in as flows: whether they are orphans again is counted then.
    if (map.total == XF_TOTAL_ZONE)
      row.word[offsetof(xf_zone_stats, adopted) / 8] = row.word[offsetof(xf_zone_stats, orphaned) / 8];
  }
}

}  // namespace

Result<CarryOver> CarryOver::of(const std::string& state_dir) {
  auto former = FormerState::open(former_layout_dir(state_dir));
  if (!former) return former.error();
  CarryOver carry(std::move(*former));
  auto zones = carry.former_.array<xf_zone>("zones", "xf_zone");
  if (!zones) log::warn("carry-over: all flows are dropped: {}", zones.error().message);
  if (zones) carry.zones_ = std::move(*zones);
  for (auto& zone : carry.zones_) zone.name[XF_ZONE_NAME_SIZE - 1] = '\0';
  return carry;
}

std::vector<ZoneSettings> CarryOver::further_zones(const std::vector<ZoneSettings>& configured) const {
  std::vector<ZoneSettings> further;
  for (const auto& zone : zones_) {
    const std::string name(zone.name);
    if (name.empty() || std::ranges::find(configured, name, &ZoneSettings::name) != configured.end())
      continue;
    further.push_back({.name = name,
                       .max_flows = std::max(1U, zone.max_flows),
                       .max_half_open = std::max(1U, zone.max_half_open),
                       .promote_packets = zone.promote_packets});
  }
  return further;
}

Status CarryOver::reproduce(const bpf_object* owner) const {
  if (auto done = reproduce_array(former_, owner, "zones", "xf_zone", zones_); !done) return done;
  if (auto done = reproduce_array<xf_interface>(former_, owner, "interfaces", "xf_interface"); !done)
    return done;
  return reproduce_array<xf_ledger>(former_, owner, "ledger", "xf_ledger");
}

Status CarryOver::load(const bpf_object* owner, uint32_t generation) {
  auto program = load_carry(owner, generation);
  if (!program) return program.error();
  program_ = std::move(*program);
  return ok();
}

Status CarryOver::run(const PinnedState& state) const {
  const auto began_ns = monotonic_ns();
  // First of all, so that what is read is at rest: no flow ends both there and here.
  const auto stopped = stop_clock(state);
  if (auto added = add_totals(); !added) return added;
  auto carrier =
      stopped ? FlowCarrier::of(former_, CarryClient(program_fd(program_.get()))) : stopped.error();
  if (!carrier) {
    log::warn("carry-over: all flows are dropped, without records: {}", carrier.error().message);
    return ok();
  }
  if (auto carried = carry_flows(*carrier); !carried) return carried;
  log::info("carried over {} flows from layout revision {} in {} ms", carrier->carried(),
            former_.control().revision, (monotonic_ns() - began_ns) / 1'000'000);
  if (carrier->refused() > 0)
    log::warn("carry-over: {} flows are dropped, without records: their new table has no room",
              carrier->refused());
  return ok();
}

/// A change of an array of maps returns when no packet and no callback is at work any more that began before.
Status CarryOver::stop_clock(const PinnedState& state) const {
  if (auto stopped = former_.stop_clock(); !stopped) return stopped;
  if (state.zones().empty()) return ok();
  const auto& zone = state.zones().front();
  const auto place = place_of(state.tables().fd(), state.former_tables().fd(), state.state_dir(),
                              zone.zone.name, zone.index, XF_TABLE_HALF_OPEN);
  return put_in_place(place, zone.tables[XF_TABLE_HALF_OPEN].fd());
}

Status CarryOver::add_totals() const {
  std::vector<xf_addend> rows;
  for (const auto& map : totals_maps) {
    const auto words = former_.totals(map.map, map.type);
    if (!words) log::warn("carry-over: the counters {} are dropped: {}", map.map, words.error().message);
    append_rows(rows, map, words ? *words : std::vector<uint64_t>());
  }
  return CarryClient(program_fd(program_.get())).add(rows);
}

Status CarryOver::carry_flows(FlowCarrier& carrier) const {
  for (const auto& zone : zones_) {
    if (zone.name[0] == '\0') continue;
    for (const auto table : both_tables)
      // During a resize there are two; which of them is in use does not matter any more.
      for (const auto& pin : {table_pin(former_.folder(), zone.name, table),
                              former_table_pin(former_.folder(), zone.name, table)})
        if (auto carried = carrier.carry(pin, table); !carried) return carried;
  }
  return ok();
}

}  // namespace xdpflowd
