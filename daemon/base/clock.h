// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <time.h>

#include <cstdint>

namespace xdpflowd {

/// The clock of the data plane (bpf_ktime_get_ns()): nanoseconds, does not count suspend.
inline uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

/// Nanoseconds to add to a monotonic time to get Unix time. Changes when the wall clock is set: ask anew for
/// each batch.
inline int64_t realtime_offset_ns() {
  timespec real{};
  clock_gettime(CLOCK_REALTIME, &real);
  return static_cast<int64_t>(real.tv_sec) * 1'000'000'000 + real.tv_nsec -
         static_cast<int64_t>(monotonic_ns());
}

/// The step of CLOCK_MONOTONIC_COARSE, and what a jiffy lasts.
inline uint64_t coarse_tick_ns() {
  timespec step{};
  clock_getres(CLOCK_MONOTONIC_COARSE, &step);
  return static_cast<uint64_t>(step.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(step.tv_nsec);
}

/// By how much `last_seen_ns` may be early, for which the data plane's deadlines allow.
inline uint64_t coarse_lag_ns() {
  return 2 * coarse_tick_ns();
}

/// Whether the kernel's timers are as fine as its clock. Without (highres=off) they come with its ticks.
inline bool has_high_resolution_timers() {
  timespec step{};
  clock_getres(CLOCK_MONOTONIC, &step);
  return step.tv_sec == 0 && step.tv_nsec == 1;
}

}  // namespace xdpflowd
