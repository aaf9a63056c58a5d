// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/interface_keeper.h"

#include <algorithm>

#include "base/log.h"
#include "dataplane/configuration.h"
#include "dataplane/dispatcher_pins.h"

namespace xdpflowd {
namespace {

bool is_wanted(const std::vector<InterfacePlan>& plans, const std::string& name) {
  return std::ranges::find(plans, name, &InterfacePlan::name) != plans.end();
}

/// nullptr: there is no such device now.
const std::string* name_of(const Devices& devices, unsigned ifindex) {
  const auto found =
      std::ranges::find_if(devices, [&](const auto& each) { return each.second.ifindex == ifindex; });
  return found == devices.end() ? nullptr : &found->first;
}

unsigned ifindex_of(const Devices& devices, const std::string& name) {
  const auto found = devices.find(name);
  return found == devices.end() ? 0 : found->second.ifindex;
}

/// In the maps, but not yet attached.
Result<std::vector<Hook>> enter_hooks(const PinnedState& state, const std::vector<InterfacePlan>& plans,
                                      const Devices& devices) {
  auto indexes = interface_indexes(state, plans);
  if (!indexes) return indexes.error();
  std::vector<Hook> hooks;
  std::vector<ZoneRule> rules;
  for (size_t i = 0; i < plans.size(); ++i) {
    const Hook hook{plans[i], (*indexes)[i], ifindex_of(devices, plans[i].name)};
    if (auto written = enter_hook(state, hook, rules); !written) return written.error();
    hooks.push_back(hook);
  }
  if (auto written = write_zone_rules(state, rules); !written) return written.error();
  return hooks;
}

}  // namespace

InterfaceKeeper::InterfaceKeeper(PacketProgram program, Generation generation, const std::vector<Hook>& hooks,
                                 const std::vector<InterfaceOutcome>& outcomes)
    : program_(std::move(program)), generation_(std::move(generation)) {
  for (size_t i = 0; i < hooks.size(); ++i)
    if (hooks[i].ifindex != 0)
      kept_[hooks[i].ifindex] = {.plan = hooks[i].plan, .device = {}, .outcome = outcomes[i]};
}

Status InterfaceKeeper::follow(const PinnedState& state, const std::vector<InterfaceSettings>& wanted,
                               const Devices& devices, Retry retry) {
  const auto plans = plan_interfaces(wanted, zone_indexes(state));
  if (auto left = leave(state, plans, devices); !left) return left;
  const auto hooks = enter_hooks(state, plans, devices);
  if (!hooks) return hooks.error();
  for (const auto& hook : *hooks)
    if (hook.ifindex != 0)
      if (auto kept = keep(state, hook, devices.at(hook.plan.name), retry); !kept) return kept;
  return ok();
}

Status InterfaceKeeper::leave(const PinnedState& state, const std::vector<InterfacePlan>& plans,
                              const Devices& devices) {
  const auto known = state.read_interfaces();
  if (!known) return known.error();
  for (const auto& interface : *known)
    if (interface.interface.ifindex != 0)
      if (auto left = leave_one(state, interface, plans, devices); !left) return left;
  return ok();
}

Status InterfaceKeeper::leave_one(const PinnedState& state, const PinnedInterface& known,
                                  const std::vector<InterfacePlan>& plans, const Devices& devices) {
  const std::string name = known.interface.name;
  const unsigned ifindex = known.interface.ifindex;
  const auto* name_now = name_of(devices, ifindex);
  const bool wanted = name_now && is_wanted(plans, *name_now);
  if (wanted && *name_now == name) return ok();
  const auto ownership = Ownership::of_state(state.state_dir());
  if (!name_now) {
    log::info("{} is gone", name);
    remove_dispatcher_pins(ownership, ifindex);
  } else if (*name_now != name) {
    log::info("{} is called {} now", name, *name_now);
  }
  if (name_now && !wanted) {
    const auto detached = detach_others_of_ours(ifindex, ownership, 0);
    if (!detached)
      log::warn("{}: {}", *name_now, detached.error().message);
    else
      log::info("{}: detached", *name_now);
  }
  if (!wanted) kept_.erase(ifindex);
  return write_absence(state, static_cast<uint16_t>(known.index));
}

Status InterfaceKeeper::keep(const PinnedState& state, const Hook& hook, const Device& device, Retry retry) {
  Kept& kept = kept_[hook.ifindex];
  if (auto noticed = notice_loss(state, hook, device, kept); !noticed) return noticed;
  const bool settled = is_settled(kept, hook, device, retry);
  kept.plan = hook.plan;
  kept.device = device;
  return settled ? ok() : attach(state, hook, kept);
}

Status InterfaceKeeper::notice_loss(const PinnedState& state, const Hook& hook, const Device& device,
                                    Kept& kept) const {
  if (!is_attached(kept.outcome) || !kept.device || kept.device->xdp == device.xdp) return ok();
  const auto running = xdp_state(hook.ifindex, Ownership::of_state(state.state_dir()));
  if (!running || running->runs(program_.id())) return ok();
  kept.outcome.kind = InterfaceOutcome::Kind::failed;
  kept.outcome.mode = XF_MODE_DETACHED;
  kept.taken_off = true;
  log::warn("{}: somebody else has taken the program off; a reload attaches it again", hook.plan.name);
  return write_attachment(state, hook.index, XF_MODE_DETACHED, false);
}

bool InterfaceKeeper::is_settled(const Kept& kept, const Hook& hook, const Device& device, Retry retry) {
  if (kept.plan.name != hook.plan.name || kept.plan.mode != hook.plan.mode) return false;
  if (is_attached(kept.outcome)) return true;
  if (retry == Retry::all) return false;
  return kept.taken_off || !kept.device || *kept.device == device;
}

Status InterfaceKeeper::attach(const PinnedState& state, const Hook& hook, Kept& kept) {
  const auto ownership = Ownership::of_state(state.state_dir());
  const auto before = kept.outcome;
  kept.taken_off = false;
  kept.outcome = Takeover(ownership, program_.fd() < 0 ? 0 : program_.id()).attach(program_, {hook}).front();
  if (is_attached(kept.outcome) || kept.outcome.reason != before.reason) report(kept.outcome);
  if (is_attached(kept.outcome))
    if (auto active = activate(state, generation_, program_.fd()); !active) return active;
  return write_attachment(state, hook.index, kept.outcome.mode, kept.outcome.dispatcher);
}

}  // namespace xdpflowd
