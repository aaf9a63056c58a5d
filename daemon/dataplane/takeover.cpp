// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/takeover.h"

#include <bpf/bpf.h>

#include <algorithm>

#include "base/log.h"

namespace xdpflowd {
namespace {

std::vector<uint32_t> ours_in(const XdpState& state) {
  std::vector<uint32_t> ids;
  for (const auto& program : state.programs)
    if (program.ours) ids.push_back(program.id);
  return ids;
}

InterfaceOutcome outcome_of(const Hook& hook) {
  InterfaceOutcome outcome;
  outcome.name = hook.plan.name;
  outcome.ifindex = hook.ifindex;
  return outcome;
}

}  // namespace

Status detach_others_of_ours(unsigned ifindex, const Ownership& ownership, uint32_t keep) {
  auto state = xdp_state(ifindex, ownership);
  if (!state) return state.error();
  for (const auto id : ours_in(*state))
    if (id != keep)
      if (auto detached = detach_program(ifindex, *state, id, ownership); !detached) return detached;
  return ok();
}

std::optional<unsigned> Takeover::running_at(const std::vector<unsigned>& ifindexes,
                                             DispatcherPolicy policy) const {
  for (const auto ifindex : ifindexes) {
    auto state = xdp_state(ifindex, ownership_);
    if (!state || active_ == 0 || !state->runs(active_)) continue;
    const bool dispatcher = state->slot == XdpSlot::dispatcher;
    if (policy == DispatcherPolicy::automatic || dispatcher == (policy == DispatcherPolicy::require))
      return ifindex;
  }
  return std::nullopt;
}

std::vector<InterfaceOutcome> Takeover::attach(PacketProgram& program, const std::vector<Hook>& hooks) const {
  std::vector<InterfaceOutcome> outcomes;
  for (const auto& hook : hooks) outcomes.push_back(attach_at(program, hook));
  return outcomes;
}

InterfaceOutcome Takeover::attach_at(PacketProgram& program, const Hook& hook) const {
  auto outcome = outcome_of(hook);
  if (hook.ifindex == 0) {
    outcome.kind = InterfaceOutcome::Kind::missing;
    outcome.reason = "no interface " + hook.plan.name;
    return outcome;
  }
  auto attached = put_in_place(program, hook);
  if (!attached) {
    outcome.reason = attached.error().message;
    return outcome;
  }
  outcome.kind = InterfaceOutcome::Kind::attached;
  outcome.mode = attached->mode;
  outcome.dispatcher = attached->dispatcher;
  return outcome;
}

Result<Attached> Takeover::put_in_place(PacketProgram& program, const Hook& hook) const {
  if (auto allowed = program.is_allowed(); !allowed) return in_context(allowed.error(), hook.plan.name);
  // What a start that was killed half way left here: it might count as active too, once this one is.
  if (auto left = detach_others_of_ours(hook.ifindex, ownership_, active_); !left)
    return in_context(left.error(), hook.plan.name);
  auto state = xdp_state(hook.ifindex, ownership_);
  if (!state) return in_context(state.error(), hook.plan.name);
  if (active_ == 0 || !state->runs(active_))
    return program.attach(hook.plan.name, hook.ifindex, hook.plan.mode, *state);
  const bool single = state->slot == XdpSlot::single;
  if (is_acceptable(hook.plan.mode, state->mode)) {
    if (program.id() == active_) return Attached{state->mode, !single};
    if (single && program.is_by_itself())
      return program.replace(hook.ifindex, active_, state->mode, ownership_);
    // Beside each other until the switch.
    if (!single && !program.is_by_itself())
      return program.attach(hook.plan.name, hook.ifindex, hook.plan.mode, *state);
  }
  return change_form(program, hook, *state);
}

/// Where the old program has to go before the new one can come. If that one cannot, the old one comes back: a
/// start that is refused changes nothing.
Result<Attached> Takeover::change_form(PacketProgram& program, const Hook& hook,
                                       const XdpState& before) const {
  const auto& name = hook.plan.name;
  log::info("{}: detaching the older program first: mode or dispatcher changed", name);
  auto old = PacketProgram::running(active_, hook.ifindex, ownership_);
  if (!old) return in_context(old.error(), name);
  if (auto detached = detach_program(hook.ifindex, before, active_, ownership_); !detached)
    return in_context(detached.error(), name);
  auto between = xdp_state(hook.ifindex, ownership_);
  if (!between) return in_context(between.error(), name);
  auto attached = program.attach(name, hook.ifindex, hook.plan.mode, *between);
  if (!attached) {
    const auto mode = before.mode == XF_MODE_GENERIC ? AttachMode::generic : AttachMode::native;
    if (auto back = old->attach(name, hook.ifindex, mode, *between); !back)
      log::warn("{}", back.error().message);
  }
  return attached;
}

}  // namespace xdpflowd
