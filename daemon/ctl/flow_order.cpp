// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/flow_order.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <string_view>
#include <tuple>

namespace xdpflowd {
namespace {

// Network order: comparing the bytes compares the numbers.
int compare(const xf_addr& left, const xf_addr& right) {
  return std::memcmp(&left, &right, sizeof left);
}

bool name_before(const Flow& left, const Flow& right) {
  if (left.zone != right.zone) return left.zone < right.zone;
  if (left.protocol != right.protocol) return left.protocol < right.protocol;
  if (const int order = compare(left.source, right.source); order != 0) return order < 0;
  if (left.source_port != right.source_port) return left.source_port < right.source_port;
  if (const int order = compare(left.destination, right.destination); order != 0) return order < 0;
  return std::tie(left.destination_port, left.table, left.age_ns) <
         std::tie(right.destination_port, right.table, right.age_ns);
}

uint64_t rank(const Flow& flow, SortBy by) {
  switch (by) {
    case SortBy::bytes:
      return flow.forward.bytes + flow.reverse.bytes;
    case SortBy::packets:
      return flow.forward.packets + flow.reverse.packets;
    case SortBy::age:
      return static_cast<uint64_t>(flow.age_ns);
    case SortBy::idle:
      return static_cast<uint64_t>(flow.idle_ns);
    case SortBy::name:
      break;
  }
  return 0;
}

/// What of a flow decides most comparisons, side by side: sorting a million flows themselves is a walk
/// through memory.
struct Entry {
  uint64_t rank;
  uint64_t group;  // place of the zone, protocol
  xf_addr source;
  const Flow* flow;

  bool operator<(const Entry& other) const {
    if (rank != other.rank) return rank > other.rank;
    if (group != other.group) return group < other.group;
    const int sources = compare(source, other.source);
    return sources != 0 ? sources < 0 : name_before(*flow, *other.flow);
  }
};

/// Places of zones in the order of their names.
class ZonePlaces {
 public:
  explicit ZonePlaces(const std::vector<Flow>& flows) {
    for (const Flow& flow : flows)
      if (names_.empty() || names_.back() != flow.zone) names_.push_back(flow.zone);
    std::ranges::sort(names_);
    names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
  }
  uint64_t of(std::string_view zone) const {
    return static_cast<uint64_t>(std::ranges::lower_bound(names_, zone) - names_.begin());
  }

 private:
  std::vector<std::string_view> names_;
};

std::vector<Entry> entries_of(const std::vector<Flow>& flows, SortBy by) {
  const ZonePlaces places(flows);
  std::vector<Entry> entries;
  entries.reserve(flows.size());
  for (const Flow& flow : flows)
    entries.push_back({rank(flow, by), places.of(flow.zone) << 8 | flow.protocol, flow.source, &flow});
  return entries;
}

}  // namespace

void sort_flows(std::vector<Flow>& flows, SortBy by, std::optional<uint64_t> limit) {
  auto entries = entries_of(flows, by);
  if (!limit || *limit >= entries.size()) {
    std::ranges::sort(entries, std::less());
  } else {
    std::ranges::partial_sort(entries, entries.begin() + static_cast<std::ptrdiff_t>(*limit), std::less());
    entries.resize(*limit);
  }
  std::vector<Flow> sorted;
  sorted.reserve(entries.size());
  for (const Entry& entry : entries) sorted.push_back(*entry.flow);
  flows = std::move(sorted);
}

}  // namespace xdpflowd
