// SPDX-License-Identifier: GPL-2.0-or-later
// Puts the packet program on the configured interfaces, in the place of an older one where there is one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dataplane/attach.h"
#include "dataplane/interface_outcome.h"
#include "dataplane/plan.h"

namespace xdpflowd {

class Takeover {
 public:
  /// `active`: the program that runs now, 0 if none.
  Takeover(const Ownership& ownership, uint32_t active) : ownership_(ownership), active_(active) {}

  /// One of `ifindexes` on which the active program runs in a form that `policy` allows.
  std::optional<unsigned> running_at(const std::vector<unsigned>& ifindexes, DispatcherPolicy policy) const;

  std::vector<InterfaceOutcome> attach(PacketProgram& program, const std::vector<Hook>& hooks) const;

 private:
  InterfaceOutcome attach_at(PacketProgram& program, const Hook& hook) const;
  Result<Attached> put_in_place(PacketProgram& program, const Hook& hook) const;
  Result<Attached> change_form(PacketProgram& program, const Hook& hook, const XdpState& before) const;

  const Ownership& ownership_;
  uint32_t active_;
};

/// Takes all our programs but `keep` from an interface.
Status detach_others_of_ours(unsigned ifindex, const Ownership& ownership, uint32_t keep);

}  // namespace xdpflowd
