// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/rearm_walk.h"

#include "flow/decode.h"

namespace xdpflowd {

RearmWalk::RearmWalk(const PinnedState& state, const TimeoutSlots& shortened)
    : state_(state), admin_(state), shortened_(shortened) {}

Result<bool> RearmWalk::step() {
  if (table_ == state_.zones().size() * XF_TABLES) return false;
  const auto which = static_cast<xf_table>(table_ % XF_TABLES);
  const auto& table = state_.zones()[table_ / XF_TABLES].tables[which];
  late_.clear();
  const auto more = walk_.next(table, [this](const xf_flow_key& key, const xf_flow& flow) {
    const auto slot = flow.status.timeout;
    if (is_live(flow) && slot < shortened_.size() && shortened_[slot]) late_.push_back(key);
  });
  if (!more) return more.error();
  const auto set = admin_.rearm(which, late_);
  if (!set) return set.error();
  rearmed_ += *set;
  if (!*more) {
    walk_ = FlowWalk();
    ++table_;
  }
  return table_ < state_.zones().size() * XF_TABLES;
}

}  // namespace xdpflowd
