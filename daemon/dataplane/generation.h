// SPDX-License-Identifier: GPL-2.0-or-later
// A load of the packet program, and the moment at which it becomes the one that counts.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "dataplane/pinned_state.h"

namespace xdpflowd {

struct Generation {
  uint32_t number = 0;
  uint64_t build = 0;           // build_hash()
  uint32_t former_program = 0;  // id of the one that is replaced; 0 if there is none
  std::string version;          // of the daemon
};

/// Pins `program`, then switches over: packets that meet another generation pass from then on. Nothing is to
/// do if it is the active one already. `last`: what has to happen right before the switch.
Status activate(const PinnedState& state, const Generation& generation, int program,
                const std::function<Status()>& last = ok);

}  // namespace xdpflowd
