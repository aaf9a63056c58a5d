// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/rearm_walk.h"

#include <algorithm>
#include <future>
#include <thread>

#include "flow/decode.h"

namespace xdpflowd {

namespace {

constexpr size_t bite_size = 4096;  // flows that one CPU sets in a step
/// CPUs that set timers side by side: a second of work for a million flows would be too long for one.
constexpr size_t most_workers = 4;
/// A system that refuses another thread has the first one do its work too.
constexpr auto anyhow = std::launch::async | std::launch::deferred;
/// Flows. Sorted, they are neighbours in the kernel's tree of timers: 1.6 s for a million in place of 4.1. Of
/// smaller chunks fewer are; all at once would take 50 MB for a million, and the loop would stand still.
constexpr size_t chunk_size = 262'144;

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
  if (table_ == tables()) return false;
  const auto which = static_cast<xf_table>(table_ % XF_TABLES);
  const auto done = collected_ ? rearm(which) : collect(state_.zones()[table_ / XF_TABLES].tables[which]);
  if (!done) return done.error();
  if (collected_ && set_ == late_.size()) {
    late_.clear();
    set_ = 0;
    collected_ = false;
    if (walk_.is_over()) {
      walk_ = FlowWalk();
      ++table_;
    }
  }
  return table_ < tables();
}

Status RearmWalk::collect(const FlowTable& table) {
  const auto more = walk_.next(table, [this](const xf_flow_key& key, const xf_flow& flow) {
    if (needs_it(flow)) late_.push_back({flow.last_seen_ns, key});
  });
  if (!more) return more.error();
  if (*more && late_.size() < chunk_size) return ok();
  std::ranges::sort(late_, {}, &LateFlow::last_seen_ns);
  collected_ = true;
  return ok();
}

std::vector<xf_flow_key> RearmWalk::next_bite() {
  std::vector<xf_flow_key> bite;
  for (; bite.size() < bite_size && set_ < late_.size(); ++set_) bite.push_back(late_[set_].key);
  return bite;
}

Status RearmWalk::rearm(xf_table table) {
  const auto set = [this, table](const std::vector<xf_flow_key>& bite) { return admin_.rearm(table, bite); };
  std::vector<std::future<Result<uint32_t>>> others;
  while (others.size() + 1 < workers_ && late_.size() - set_ > bite_size)
    others.push_back(std::async(anyhow, set, next_bite()));
  std::vector<Result<uint32_t>> counts{set(next_bite())};
  for (auto& other : others) counts.push_back(other.get());
  for (const auto& count : counts) {
    if (!count) return count.error();
    rearmed_ += *count;
  }
  return ok();
}

}  // namespace xdpflowd
