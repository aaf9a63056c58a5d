// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>

#include "base/clock.h"

namespace xdpflowd::test {

/// The time of a packet sent next, from which its flow's timeout counts: now. But where the coarse clock is
/// so far behind that the kernel's tick may be late (a host that takes the CPU away), of which nobody can
/// know, a tick behind it: packets' times may be another tick earlier.
inline uint64_t send_time_ns() {
  timespec coarse{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &coarse);
  const auto coarse_ns =
      static_cast<uint64_t>(coarse.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(coarse.tv_nsec);
  return std::min(monotonic_ns(), coarse_ns + coarse_tick_ns());
}

}  // namespace xdpflowd::test
