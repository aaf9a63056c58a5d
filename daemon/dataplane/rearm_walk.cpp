// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/rearm_walk.h"

#include <algorithm>
#include <future>
#include <span>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "flow/decode.h"

namespace xdpflowd {

namespace {

constexpr uint64_t slice_ns = 10'000'000;  // the loop's other work waits for so long
constexpr size_t bite_size = 512;          // flows; under a millisecond, by which threads of a step end apart
/// CPUs that work side by side: a second of work for a million flows would be too long for one.
constexpr size_t most_workers = 4;
/// A system that refuses another thread has the first one do its work too.
constexpr auto anyhow = std::launch::async | std::launch::deferred;
/// Flows. Sorted, they are neighbours in the kernel's tree of timers: 1.6 s for a million in place of 4.1. Of
/// smaller chunks fewer are; all at once would take 50 MB for a million, with nothing to read meanwhile.
constexpr size_t chunk_size = 262'144;
/// While there is nothing to set yet, a chunk is complete sooner.
constexpr size_t first_chunk_size = 32'768;

}  // namespace

RearmWalk::RearmWalk(const PinnedState& state, const TimeoutSlots& shortened)
    : state_(state),
      admin_(state),
      shortened_(shortened),
      workers_(std::clamp<size_t>(std::thread::hardware_concurrency(), 1, most_workers)) {
  if (const auto control = state.control().get(0)) generation_ = control->generation;
}

bool RearmWalk::needs_it(const xf_flow& flow) const {
  if (!is_live(flow)) return false;
  const auto slot = flow.status.timeout;
  if (slot < shortened_.size() && shortened_[slot]) return true;
  return !(flow.status.flags & XF_FLOW_ORPHAN) && flow.generation != generation_;
}

Result<bool> RearmWalk::step() {
  if (is_set() && next_.complete) {
    chunk_ = std::exchange(next_, {});
    taken_ = 0;
  }
  if (is_set() && has_read_all()) return false;
  std::atomic<bool> stop = false;
  std::vector<std::future<Status>> others;
  while (others.size() + 1 < workers_ && !is_set())
    others.push_back(std::async(anyhow, [&] { return set_bites(stop); }));
  Status done = work(monotonic_ns() + slice_ns);
  stop = true;
  for (auto& other : others)
    if (const Status theirs = other.get(); !theirs) done = theirs;
  if (!done) return done.error();
  return true;
}

Status RearmWalk::work(uint64_t until_ns) {
  Status done = ok();
  while (done && monotonic_ns() < until_ns) {
    if (!next_.complete && !has_read_all())
      done = read();
    else if (!is_set())
      done = set_bite();
    else
      break;
  }
  return done;
}

/// Adds some flows to the next chunk.
Status RearmWalk::read() {
  next_.table = static_cast<xf_table>(table_ % XF_TABLES);
  const auto more = walk_.next(state_.zones()[table_ / XF_TABLES].tables[next_.table],
                               [this](const auto& key, const auto& flow) {
                                 if (needs_it(flow)) next_.flows.push_back({flow.last_seen_ns, key});
                               });
  if (!more) return more.error();
  if (!*more) {
    walk_ = FlowWalk();
    ++table_;
  }
  next_.complete = !*more || next_.flows.size() >= (is_set() ? first_chunk_size : chunk_size);
  if (next_.complete) std::ranges::sort(next_.flows, {}, &LateFlow::last_seen_ns);
  return ok();
}

Status RearmWalk::set_bite() {
  const size_t first = taken_.fetch_add(bite_size);
  if (first >= chunk_.flows.size()) return ok();
  std::vector<xf_flow_key> bite;
  for (const auto& late :
       std::span(chunk_.flows).subspan(first).first(std::min(bite_size, chunk_.flows.size() - first)))
    bite.push_back(late.key);
  const auto count = admin_.rearm(chunk_.table, bite);
  if (!count) return count.error();
  rearmed_ += *count;
  return ok();
}

Status RearmWalk::set_bites(const std::atomic<bool>& stop) {
  Status done = ok();
  while (done && !stop && !is_set()) done = set_bite();
  return done;
}

}  // namespace xdpflowd
