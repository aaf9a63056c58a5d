// SPDX-License-Identifier: GPL-2.0-or-later
// The packet program that an upgrade has replaced. Timers that it armed hold it until they are set anew or
// fire for the last time.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "dataplane/pinned_state.h"

namespace xdpflowd {

struct FormerProgram {
  uint32_t id = 0;
  uint32_t generation = 0;
};

/// nullopt once the kernel has freed it, or if there was none.
Result<std::optional<FormerProgram>> former_program(const PinnedState& state);

/// Flows whose timer still runs another generation's callback. Walks all tables.
Result<uint64_t> flows_of_other_generations(const PinnedState& state);

/// True if it was freed since the last time. For the daemon alone.
Result<bool> forget_if_freed(const PinnedState& state);

}  // namespace xdpflowd
