// SPDX-License-Identifier: GPL-2.0-or-later
// Jiffies as a clock: what packets take the time from.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

/// The kernel's clocks, by a program that is loaded for it.
Result<xf_clock> read_kernel_clocks();

/// What jiffies times coarse_tick_ns() must be added to, modulo 2^64, to tell CLOCK_MONOTONIC as coarsely as
/// CLOCK_MONOTONIC_COARSE does: no more than a tick early when a jiffy begins. The kernel's tick counts a
/// jiffy and then sets that clock, both by CLOCK_MONOTONIC; now and then that one is ahead by a tick. 0 where
/// jiffies tell nothing: without timers of high resolution a tick that is missed is none.
uint64_t jiffies_epoch_ns();

}  // namespace xdpflowd
