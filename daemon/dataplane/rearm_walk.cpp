// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/rearm_walk.h"

#include <algorithm>

#include "flow/decode.h"

namespace xdpflowd {

namespace {

constexpr size_t bite_size = 4096;  // flows
/// Flows. Sorted, they are neighbours in the kernel's tree of timers: 1.6 s for a million in place of 4.1. Of
/// smaller chunks fewer are; all at once would take 50 MB for a million, and the loop would stand still.
constexpr size_t chunk_size = 262'144;

}  // namespace

RearmWalk::RearmWalk(const PinnedState& state, const TimeoutSlots& shortened)
    : state_(state), admin_(state), shortened_(shortened) {
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

Status RearmWalk::rearm(xf_table table) {
  std::vector<xf_flow_key> bite;
  for (; bite.size() < bite_size && set_ < late_.size(); ++set_) bite.push_back(late_[set_].key);
  const auto set = admin_.rearm(table, bite);
  if (!set) return set.error();
  rearmed_ += *set;
  return ok();
}

}  // namespace xdpflowd
