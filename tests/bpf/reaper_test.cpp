// SPDX-License-Identifier: GPL-2.0-or-later
// The one timer that deletes: it loses no ended flow, and does not stay dead.
#include <gtest/gtest.h>

#include <thread>

#include "flood.h"
#include "support/process.h"
#include "support/timers.h"
#include "support/tracker.h"

namespace xdpflowd::test {
namespace {

using namespace std::chrono_literals;

class Reaper : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(prime_timers(50'000)); }

  static void make_flows(const Tracker& tracker, uint32_t count) {
    Template flows(udp(), Template::Side::source);
    for (uint32_t i = 0; i < count; i++) tracker.run(flows.numbered(i));
  }
};

TrackerOptions without_reaper(std::chrono::nanoseconds dead_after) {
  TrackerOptions options{.timeouts = with_timeout(XF_TIMEOUT_UDP, 50ms), .reaper = false};
  options.knobs = [dead_after](xdpflow_bpf* s) {
    s->rodata->reaper_dead_ns = static_cast<__u64>(dead_after.count());
  };
  return options;
}

TEST_F(Reaper, DeletesAllThatEndedAtOnce) {
  const Tracker tracker({.max_half_open = 32'768, .timeouts = with_timeout(XF_TIMEOUT_UDP, 500ms)});
  make_flows(tracker, 15'000);
  ASSERT_TRUE(tracker.empties(30s));
  EXPECT_EQ(tracker.ended(), 15'000u);
  EXPECT_EQ(tracker.evicted(XF_TABLE_HALF_OPEN), 0);
}

TEST_F(Reaper, GetsEveryFlowThroughAQueueThatIsFull) {
  TrackerOptions options = without_reaper(1h);
  options.ended_queue = 4;
  const Tracker tracker(options);
  constexpr uint32_t flows = 500;
  make_flows(tracker, flows);
  ASSERT_TRUE(eventually(10s, [&] { return tracker.ended() == flows; }));
  EXPECT_GE(tracker.global_stats().errors[XF_ERROR_ENDED_PUSH], flows - options.ended_queue);
  EXPECT_EQ(tracker.counted(XF_TABLE_HALF_OPEN), flows);
  tracker.start_reaper();
  ASSERT_TRUE(tracker.empties());
  EXPECT_EQ(tracker.ended(), flows);
  EXPECT_EQ(tracker.records().size(), flows);
}

/// If each of them tried every ten milliseconds, they would keep a CPU from everything else, the reaper
/// included.
TEST_F(Reaper, IsAskedAtABoundedPaceHoweverManyFindItsQueueFull) {
  TrackerOptions options = without_reaper(1h);
  options.ended_queue = 4;
  options.max_half_open = 32'768;
  const Tracker tracker(options);
  constexpr uint32_t flows = 20'000;
  make_flows(tracker, flows);
  const auto tries = [&] { return tracker.global_stats().errors[XF_ERROR_ENDED_PUSH]; };
  ASSERT_TRUE(eventually(30s, [&] { return tracker.ended() == flows; }));
  const auto begin = std::chrono::steady_clock::now();
  const uint64_t before = tries();
  ASSERT_TRUE(eventually(30s, [&] { return tries() > before + 3 * flows; }));
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(tries() - before, 2 * (took / 4us) + flows);
  tracker.start_reaper();
  EXPECT_TRUE(tracker.empties(120s));
}

TEST_F(Reaper, ThatIsDeadIsRevivedByANewFlow) {
  const Tracker tracker(without_reaper(100ms));
  make_flows(tracker, 10);
  ASSERT_TRUE(eventually(10s, [&] { return tracker.ended() == 10; }));
  EXPECT_EQ(tracker.counted(XF_TABLE_HALF_OPEN), 10u);
  std::this_thread::sleep_for(200ms);
  tracker.run(udp());
  EXPECT_TRUE(tracker.empties());
  const auto events = tracker.events();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].type, XF_EVENT_REAPER_REVIVED);
  EXPECT_GT(events[0].time_ns, 0u);
}

TEST_F(Reaper, IsGivenTimeBeforeItCountsAsDead) {
  const Tracker tracker(without_reaper(1h));
  make_flows(tracker, 10);
  ASSERT_TRUE(eventually(10s, [&] { return tracker.ended() == 10; }));
  tracker.run(udp());
  EXPECT_TRUE(tracker.events().empty());
}

TEST_F(Reaper, WithoutWorkIsNotDead) {
  TrackerOptions options = without_reaper(50ms);
  options.timeouts = default_timeouts();
  options.reaper = true;
  const Tracker tracker(options);
  std::this_thread::sleep_for(200ms);
  tracker.run(udp());
  EXPECT_TRUE(tracker.events().empty());
}

}  // namespace
}  // namespace xdpflowd::test
