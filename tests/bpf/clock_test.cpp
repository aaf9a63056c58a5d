// SPDX-License-Identifier: GPL-2.0-or-later
// What packets take the time from: jiffies, or the kernel's coarse clock where those do not tell it.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/clock.h"
#include "dataplane/jiffies.h"
#include "support/tracker.h"

namespace xdpflowd::test {
namespace {

using namespace std::chrono_literals;

/// What a tick may take.
uint64_t slack_ns() {
  return coarse_tick_ns() / 4;
}

TEST(Jiffies, TellTheTimeAsCoarselyAsTheKernel) {
  if (!has_high_resolution_timers()) GTEST_SKIP() << "this kernel has no timers of high resolution";
  const uint64_t tick_ns = coarse_tick_ns();
  const auto epoch_ns = jiffies_epoch_ns();
  ASSERT_TRUE(epoch_ns) << epoch_ns.error().message;
  int64_t least_lag_ns = INT64_MAX;
  for (int i = 0; i < 300; i++) {
    const auto clocks = read_kernel_clocks();
    ASSERT_TRUE(clocks) << clocks.error().message;
    const uint64_t told_ns = *epoch_ns + clocks->jiffies * tick_ns;
    EXPECT_GE(told_ns + tick_ns + slack_ns(), clocks->coarse_ns);
    least_lag_ns = std::min(least_lag_ns, static_cast<int64_t>(clocks->now_ns - told_ns));
    std::this_thread::sleep_for(i * 37us % 9ms);
  }
  // At the beginning of a jiffy, that is, whatever ticks are late on this machine.
  EXPECT_LT(least_lag_ns, static_cast<int64_t>(tick_ns + slack_ns()));
  EXPECT_GT(least_lag_ns, -static_cast<int64_t>(tick_ns));
}

/// Of a packet that is sent now.
void expect_present_time(const Tracker& tracker) {
  const auto before = read_kernel_clocks();
  ASSERT_TRUE(before) << before.error().message;
  tracker.run(udp());
  const uint64_t seen_ns = tracker.the_flow().flow.last_seen_ns;
  EXPECT_LE(seen_ns, monotonic_ns() + coarse_tick_ns());
  EXPECT_GE(seen_ns + coarse_tick_ns() + slack_ns(), before->coarse_ns);
}

TEST(Jiffies, StampPackets) {
  TrackerOptions options;
  options.timeouts = all_timeouts(3h);
  options.knobs = [](xdpflow_bpf* s) { s->rodata->jiffies_epoch_ns -= 3'600'000'000'000; };
  if (!jiffies_epoch_ns()) GTEST_SKIP() << "this kernel's jiffies do not tell the time";
  const Tracker early(options);
  early.run(udp());
  const uint64_t an_hour_ago = monotonic_ns() - 3'600'000'000'000;
  EXPECT_NEAR(static_cast<double>(early.the_flow().flow.last_seen_ns), static_cast<double>(an_hour_ago), 1e9);
  expect_present_time(Tracker());
}

TEST(Jiffies, AreNotNeeded) {
  TrackerOptions options;
  options.knobs = [](xdpflow_bpf* s) { s->rodata->jiffies_epoch_ns = 0; };
  expect_present_time(Tracker(options));
}

}  // namespace
}  // namespace xdpflowd::test
