// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/resizer.h"

#include <algorithm>

#include "base/clock.h"
#include "base/log.h"
#include "dataplane/plan.h"
#include "dataplane/table_counter.h"
#include "flow/decode.h"

namespace xdpflowd {
namespace {

constexpr xf_table both[] = {XF_TABLE_HALF_OPEN, XF_TABLE_ESTABLISHED};

/// Where the kernel cannot tell how many there are this walks the table: a third of a second for a million.
void warn_of_evictions(const PinnedState& state, const PinnedZone& zone, xf_table table, uint32_t size) {
  if (size >= zone.tables[table].max_entries()) return;
  TableCounter counter(TableCounter::Walk::allowed);
  const auto count = counter.count(state, zone, table, monotonic_ns());
  if (!count || !*count || (*count)->elements <= size) return;
  log::warn(
      "zone {}: table {} holds {} flows, and has room for {} from now on: the {} seen least recently will be "
      "evicted",
      zone.zone.name, table_name(table), (*count)->elements, size, (*count)->elements - size);
}

}  // namespace

const PinnedZone* Resizer::find(const std::string& zone) const {
  const auto found =
      std::ranges::find_if(state_.zones(), [&](const auto& each) { return zone == each.zone.name; });
  return found == state_.zones().end() ? nullptr : &*found;
}

TablePlace Resizer::place_in(const PinnedZone& zone, xf_table table) const {
  return place_of(state_.tables().fd(), state_.former_tables().fd(), state_.state_dir(), zone.zone.name,
                  zone.index, table);
}

Status Resizer::resize(const std::string& zone, xf_table table, uint32_t size) {
  const auto* found = find(zone);
  if (!found) return fail("there is no zone " + zone + " in the data plane");
  std::erase_if(later_, [&](const auto& each) { return each.zone == zone && each.table == table; });
  if (!found->former[table])
    return found->tables[table].max_entries() == size ? ok() : exchange(*found, table, size);
  log::info("zone {}: table {} is being resized already: to {} flows after that", zone, table_name(table),
            size);
  later_.push_back({zone, table, size});
  return ok();
}

Status Resizer::exchange(const PinnedZone& zone, xf_table table, uint32_t size) {
  const auto place = place_in(zone, table);
  warn_of_evictions(state_, zone, table, size);
  auto done = [&]() -> Status {
    auto made = make_table(types_, zone.zone.name, table, size, place.former_pin);
    if (!made) return made.error();
    return swap_tables(place);
  }();
  if (!done) {
    if (auto settled = settle_swap(place); !settled) log::error("{}", settled.error().message);
    return done;
  }
  log::info("zone {}: table {}, {} flows, {}; the flows of the former one move over", zone.zone.name,
            table_name(table), size, readable_bytes(flow_table_bytes(size)));
  if (auto noted = note_size(zone, table, size); !noted) return noted;
  return state_.reopen_zones();
}

Status Resizer::note_size(const PinnedZone& zone, xf_table table, uint32_t size) const {
  auto entry = state_.zone_table().get(zone.index);
  if (!entry) return entry.error();
  (table == XF_TABLE_HALF_OPEN ? entry->max_half_open : entry->max_flows) = size;
  return state_.zone_table().set(zone.index, *entry);
}

Result<Resizer::Progress> Resizer::step() {
  for (const auto& zone : state_.zones())
    for (const auto table : both)
      if (zone.former[table]) return drain(zone, table);
  if (later_.empty()) return Progress::done;
  if (auto started = start_next(); !started) return started.error();
  return Progress::working;
}

Status Resizer::start_next() {
  const auto next = later_.front();
  later_.erase(later_.begin());
  return resize(next.zone, next.table, next.size);
}

Result<Resizer::Progress> Resizer::drain(const PinnedZone& zone, xf_table table) {
  std::vector<xf_flow_key> live;
  if (began_ns_ == 0) began_ns_ = monotonic_ns();
  const auto more = walk_.next(*zone.former[table], [&](const xf_flow_key& key, const xf_flow& flow) {
    ++met_;
    if (is_live(flow)) live.push_back(key);
  });
  if (!more) return more.error();
  const auto left = admin_.move(table, live);
  if (!left) return left.error();
  moved_ += live.size() - *left;
  moved_in_round_ += live.size() - *left;
  return *more ? Progress::working : finish_round(zone, table);
}

/// A walk that met nothing was through an empty table: whoever still had it in hand when it was replaced has
/// let go of it since.
Result<Resizer::Progress> Resizer::finish_round(const PinnedZone& zone, xf_table table) {
  const auto met = std::exchange(met_, 0), moved = std::exchange(moved_in_round_, 0);
  walk_ = FlowWalk();
  if (met > 0) return moved > 0 ? Progress::working : Progress::waiting;
  if (auto dropped = drop_former(place_in(zone, table)); !dropped) return dropped.error();
  log::info("zone {}: table {} is resized: {} flows were moved, the others by their packets, in {} ms",
            zone.zone.name, table_name(table), std::exchange(moved_, 0),
            (monotonic_ns() - std::exchange(began_ns_, 0)) / 1'000'000);
  if (auto reopened = state_.reopen_zones(); !reopened) return reopened.error();
  return Progress::working;
}

}  // namespace xdpflowd
