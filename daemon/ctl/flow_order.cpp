// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/flow_order.h"

#include <algorithm>
#include <cstring>
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

}  // namespace

void sort_flows(std::vector<Flow>& flows, SortBy by, std::optional<uint64_t> limit) {
  const auto before = [by](const Flow& left, const Flow& right) {
    const uint64_t left_rank = rank(left, by);
    const uint64_t right_rank = rank(right, by);
    return left_rank != right_rank ? left_rank > right_rank : name_before(left, right);
  };
  if (!limit || *limit >= flows.size()) return std::sort(flows.begin(), flows.end(), before);
  std::partial_sort(flows.begin(), flows.begin() + static_cast<std::ptrdiff_t>(*limit), flows.end(), before);
  flows.resize(*limit);
}

}  // namespace xdpflowd
