// SPDX-License-Identifier: GPL-2.0-or-later
#include "ours.h"

#include <chrono>
#include <cmath>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "flows.h"

namespace xdpflowd::bench {
namespace {

constexpr uint64_t timeout_ns = 1'000 * second_ns;

test::TrackerOptions options(uint32_t flows) {
  test::TrackerOptions options;
  options.max_flows = flows + flows / 8 + 65'536;
  options.records = false;
  options.timeouts = test::all_timeouts(std::chrono::nanoseconds(timeout_ns));
  return options;
}

}  // namespace

uint64_t due_ns(uint32_t number, uint32_t flows, uint32_t every, uint64_t start_ns, uint64_t over_ns) {
  if (every == 0 || number % every != 0) return 0;
  return start_ns + static_cast<uint64_t>(static_cast<double>(number) / flows * static_cast<double>(over_ns));
}

uint64_t fill_ns(uint32_t flows) {
  return second_ns + flows * 5'000ULL;
}

Ours::Ours(uint32_t flows, bool with_timers) : flows_(flows), tracker_(options(flows)) {
  if (!with_timers) tracker_.let_go_of_tables();
}

void Ours::fill(uint32_t every, uint64_t start_ns, uint64_t over_ns) const {
  const uint64_t tick = coarse_tick_ns();
  std::vector<xf_adopted> some;
  for (uint32_t number = 0; number < flows_; number++) {
    const uint64_t due = due_ns(number, flows_, every, start_ns, over_ns);
    xf_adopted flow{};
    flow.key = flow_key(number);
    flow.flow.status.state = XF_STATE_REPLIED;
    flow.flow.status.flags = XF_FLOW_REPLIED;
    flow.flow.created_ns = monotonic_ns();
    const uint64_t seen = due ? due - timeout_ns : flow.flow.created_ns;
    flow.flow.last_seen_ns = seen - seen % tick;  // packets have their time by the tick
    some.push_back(flow);
    if (some.size() < XF_ADOPT_BATCH_MAX && number + 1 < flows_) continue;
    if (tracker_.adopt(XF_TABLE_ESTABLISHED, some)) throw std::runtime_error("not all flows found a place");
    some.clear();
  }
  if (monotonic_ns() > start_ns) throw std::runtime_error("the flows came in too slowly");
}

void Ours::wait_for_timers() const {
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  const auto zone = tracker_.zone_stats();
  if (zone.orphaned != zone.adopted)
    throw std::runtime_error(std::to_string(zone.orphaned - zone.adopted) + " flows have no timer");
}

uint64_t Ours::callbacks() const {
  const auto stats = tracker_.global_stats();
  return stats.callbacks[XF_CALLBACK_ENDED] + stats.callbacks[XF_CALLBACK_REARMED];
}

Quantiles quantiles(const xf_histogram& before, const xf_histogram& after) {
  uint64_t total = 0, seen = 0;
  Quantiles found;
  for (int i = 0; i < XF_HISTOGRAM_BUCKETS; i++) total += after.bucket[i] - before.bucket[i];
  for (int i = 0; i < XF_HISTOGRAM_BUCKETS; i++) {
    const uint64_t here = after.bucket[i] - before.bucket[i];
    const double bound = std::ldexp(1, i) / 1000;
    if (here && (seen * 2 < total)) found.p50 = bound;
    if (here && (static_cast<double>(seen) < 0.99 * static_cast<double>(total))) found.p99 = bound;
    if (here) found.max = bound;
    seen += here;
  }
  return found;
}

}  // namespace xdpflowd::bench
