// SPDX-License-Identifier: GPL-2.0-or-later
// Jiffies as a clock: what packets take the time from.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

/// The kernel's clocks, by a program that is loaded for it.
Result<xf_clock> read_kernel_clocks();

/// What jiffies times coarse_tick_ns() must be added to, modulo 2^64, to tell CLOCK_MONOTONIC: up to two
/// ticks early, like the coarse clock, and where the tick was late by which this was found, that much less.
/// Fails where jiffies tell nothing: without timers of high resolution a tick that is missed is none.
Result<uint64_t> jiffies_epoch_ns();

}  // namespace xdpflowd
