// SPDX-License-Identifier: GPL-2.0-or-later
// Flows for which the kernel has no timer: swept instead, and given one as soon as there are some again.
#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "conversation.h"
#include "flood.h"
#include "orphans.h"
#include "send_time.h"
#include "support/process.h"
#include "support/timers.h"
#include "support/tracker.h"

namespace xdpflowd::test {
namespace {

using namespace std::chrono_literals;

/// A kernel refuses timers in tables that no process holds and nobody pinned.
class Orphan : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(prime_timers(20'000)); }
};

TEST_F(Orphan, IsMarkedAndCounted) {
  TrackerOptions options;
  options.reaper = false;  // so that nobody gives them timers when we look
  Tracker tracker(options);
  tracker.let_go_of_tables();
  make_flows(tracker, 100);
  tracker.hold_tables();
  EXPECT_EQ(with_flag(tracker.entries(XF_TABLE_HALF_OPEN), XF_FLOW_ORPHAN), 100u);
  EXPECT_EQ(orphans(tracker), 100);
  EXPECT_EQ(tracker.global_stats().timer_failures[XF_TIMER_PERM], 100u);
  EXPECT_EQ(tracker.interface_stats().packets[XF_VERDICT_CREATED], 100u);
}

TEST_F(Orphan, IsExpiredBySweepsOnTimeAndNotBefore) {
  constexpr uint64_t timeout_ns = 150'000'000;
  Tracker tracker(with(with_timeout(XF_TIMEOUT_UDP, std::chrono::nanoseconds(timeout_ns))));
  tracker.let_go_of_tables();
  const uint64_t sent = send_time_ns();
  make_flows(tracker, 100);
  ASSERT_TRUE(eventually(wide, [&] { return tracker.ended() == 100; }));
  EXPECT_TRUE(eventually(wide, [&] { return orphans(tracker) == 0; }));
  const auto records = tracker.records();
  ASSERT_EQ(records.size(), 100u);
  for (const auto& record : records) {
    EXPECT_GE(record.ended_ns, sent + timeout_ns);
    EXPECT_EQ(record.reason, XF_REASON_IDLE);
  }
  EXPECT_EQ(tracker.global_stats().callbacks[XF_CALLBACK_ENDED], 0u);
  tracker.hold_tables();
  EXPECT_TRUE(tracker.empties());
}

TEST_F(Orphan, IsKeptByItsPackets) {
  Tracker tracker(with(with_timeout(XF_TIMEOUT_UDP, 400ms)));
  tracker.let_go_of_tables();
  for (int i = 0; i < 40; i++) {
    tracker.run(udp());
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_EQ(tracker.ended(), 0u);
  EXPECT_EQ(orphans(tracker), 1);
  ASSERT_TRUE(eventually(wide, [&] { return tracker.ended() == 1; }));
  EXPECT_EQ(tracker.records().at(0).forward.packets, 40u);
}

TEST_F(Orphan, EndsSoonerAfterARst) {
  Tracker tracker(with(with_timeout(XF_TIMEOUT_TCP_CLOSE, 50ms, all_timeouts(1h))));
  tracker.let_go_of_tables();
  tracker.run(conversation(handshake + ">R"));
  ASSERT_TRUE(eventually(wide, [&] { return tracker.ended() == 1; }));
  EXPECT_EQ(tracker.zone_stats().ended[XF_TABLE_ESTABLISHED][XF_REASON_RESET], 1u);
  EXPECT_TRUE(eventually(wide, [&] { return orphans(tracker) == 0; }));
}

TEST_F(Orphan, GetsATimerWhenThereAreSomeAgain) {
  Tracker tracker(with(with_timeout(XF_TIMEOUT_UDP, 2s)));
  tracker.let_go_of_tables();
  make_flows(tracker, 100);
  ASSERT_EQ(orphans(tracker), 100);
  tracker.hold_tables();
  ASSERT_TRUE(eventually(wide, [&] { return orphans(tracker) == 0; }));
  EXPECT_EQ(with_flag(tracker.entries(XF_TABLE_HALF_OPEN), XF_FLOW_ORPHAN), 0u);
  ASSERT_TRUE(tracker.empties());
  EXPECT_EQ(tracker.global_stats().callbacks[XF_CALLBACK_ENDED], 100u);
  EXPECT_EQ(tracker.ended(), 100u);
}

TEST_F(Orphan, ThatIsPromotedIsOneInTheOtherTable) {
  Tracker tracker(with(all_timeouts(1h)));
  tracker.let_go_of_tables();
  tracker.run(conversation(handshake));
  EXPECT_EQ(tracker.zone_stats().orphaned, 2u);
  ASSERT_TRUE(eventually(wide, [&] { return orphans(tracker) == 1; }));
  tracker.hold_tables();
  ASSERT_TRUE(eventually(wide, [&] { return orphans(tracker) == 0; }));
  EXPECT_FALSE(tracker.the_flow().has(XF_FLOW_ORPHAN));
}

TEST_F(Orphan, CanBeFlushed) {
  TrackerOptions options;
  options.reaper = false;
  Tracker tracker(options);
  tracker.let_go_of_tables();
  make_flows(tracker, 10);
  tracker.hold_tables();
  std::vector<xf_flow_key> keys;
  for (const auto& entry : tracker.entries(XF_TABLE_HALF_OPEN)) keys.push_back(entry.key);
  EXPECT_EQ(tracker.flush(XF_TABLE_HALF_OPEN, keys), 10u);
  EXPECT_TRUE(tracker.empties());
  tracker.start_reaper();
  EXPECT_TRUE(eventually(wide, [&] { return orphans(tracker) == 0; }));
  EXPECT_EQ(tracker.records().size(), 10u);
}

TEST_F(Orphan, OfAnyNumberIsReachedInSmallBites) {
  TrackerOptions options = with(with_timeout(XF_TIMEOUT_UDP, 50ms));
  options.knobs = [](xdpflow_bpf* s) { s->rodata->orphan_bite = 7; };
  Tracker tracker(options);
  tracker.let_go_of_tables();
  make_flows(tracker, 100);
  ASSERT_TRUE(eventually(wide, [&] { return tracker.ended() == 100; }));
  EXPECT_EQ(tracker.global_stats().callbacks[XF_CALLBACK_ENDED], 0u);
}

TEST_F(Orphan, IsReapedThoughTheQueueOfTheEndedIsFull) {
  TrackerOptions options = with(with_timeout(XF_TIMEOUT_UDP, 50ms));
  options.ended_queue = 4;
  Tracker tracker(options);
  tracker.let_go_of_tables();
  make_flows(tracker, 500);
  ASSERT_TRUE(eventually(wide, [&] { return tracker.ended() == 500; }));
  tracker.hold_tables();
  EXPECT_TRUE(tracker.empties());
}

TEST_F(Orphan, OnesThatAreFewDoNotKeepTheReaperBusy) {
  // A bite asks for a timer until the first refusal, so that refusals count the bites.
  Tracker tracker(with(all_timeouts(1h)));
  tracker.let_go_of_tables();
  make_flows(tracker, 5);
  const auto refused = [&] { return tracker.global_stats().timer_failures[XF_TIMER_PERM]; };
  const uint64_t before = refused();
  const auto start = monotonic_ns();
  std::this_thread::sleep_for(500ms);
  const uint64_t bites = refused() - before, ticks = (monotonic_ns() - start) / 20'000'000;
  EXPECT_GE(bites, 1u);
  EXPECT_LE(bites, ticks + 2);
}

/// All timers that this kernel has.
class Hog {
 public:
  Hog() {
    while (!exhausted()) take_more();
  }

 private:
  static constexpr uint32_t flows = 500'000, batch = 500;

  void add_tracker() {
    if (trackers_.size() == 16) throw std::runtime_error("there are more timers than this test can take");
    TrackerOptions options{.max_half_open = flows + 100'000, .timeouts = all_timeouts(1h), .records = false};
    options.reaper = false;
    trackers_.push_back(std::make_unique<Tracker>(options));
    made_ = 0;
  }

  /// How many of a batch of flows got no timer.
  uint64_t take_more() {
    if (trackers_.empty() || made_ + batch > flows) add_tracker();
    const auto& tracker = *trackers_.back();
    const auto refused = [&] { return tracker.global_stats().timer_failures[XF_TIMER_NOMEM]; };
    const uint64_t before = refused();
    for (uint32_t i = 0; i < batch; i++) tracker.run(packets_.numbered(made_++));
    return refused() - before;
  }

  /// Refusals come also while another CPU is at the kernel's lists: only those that go on count.
  bool exhausted() {
    for (int tries = 0; tries < 3; tries++) {
      if (take_more() < batch) return false;
      std::this_thread::sleep_for(100ms);
    }
    return true;
  }

  Template packets_{udp(), Template::Side::source};
  std::vector<std::unique_ptr<Tracker>> trackers_;
  uint32_t made_ = 0;
};

TEST(ExhaustedTimers, MakeOrphansThatLeaveOnTimeAndGetTimersLater) {
  if (!timers_are_scarce()) GTEST_SKIP() << "this kernel does not run out of timers";
  const Tracker short_lived({.timeouts = with_timeout(XF_TIMEOUT_UDP, 300ms)});
  const Tracker long_lived({.timeouts = all_timeouts(1h)});
  {
    const Hog hog;
    make_flows(short_lived, 1000);
    make_flows(long_lived, 1000);
    // What other processes free meanwhile gives some of them timers.
    EXPECT_GE(short_lived.global_stats().timer_failures[XF_TIMER_NOMEM], 100u);
    EXPECT_GE(short_lived.zone_stats().orphaned, 100u);
    EXPECT_GE(with_flag(long_lived.entries(XF_TABLE_HALF_OPEN), XF_FLOW_ORPHAN), 100u);
    EXPECT_TRUE(short_lived.empties());
    EXPECT_EQ(short_lived.ended(), 1000u);
    EXPECT_TRUE(eventually(wide, [&] { return orphans(short_lived) == 0; }));
  }
  EXPECT_TRUE(eventually(wide, [&] { return orphans(long_lived) == 0; }));
  EXPECT_EQ(with_flag(long_lived.entries(XF_TABLE_HALF_OPEN), XF_FLOW_ORPHAN), 0u);
  EXPECT_EQ(long_lived.ended(), 0u);
}

}  // namespace
}  // namespace xdpflowd::test
