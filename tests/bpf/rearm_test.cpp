// SPDX-License-Identifier: GPL-2.0-or-later
// XF_ADMIN_REARM: timers set by a longer timeout fire by the shorter one; nothing else changes.
#include <gtest/gtest.h>

#include "conversation.h"
#include "send_time.h"
#include "support/process.h"
#include "support/timers.h"
#include "support/tracker.h"

namespace xdpflowd::test {
namespace {

using namespace std::chrono_literals;

class Rearm : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(prime_timers(20'000)); }

  static TrackerOptions with_hour() {
    TrackerOptions options;
    options.timeouts = all_timeouts(1h);
    return options;
  }
};

TEST_F(Rearm, ALiveFlowEndsByTheShorterTimeoutAndNotBefore) {
  constexpr auto timeout = 300ms;
  const Tracker tracker(with_hour());
  const uint64_t sent = send_time_ns();
  tracker.run(udp());
  const auto key = tracker.the_flow().key;
  tracker.set_timeouts(all_timeouts(timeout));
  EXPECT_EQ(tracker.rearm(XF_TABLE_HALF_OPEN, {key}), 1u);
  ASSERT_TRUE(tracker.empties());
  const auto records = tracker.records();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].reason, XF_REASON_IDLE);
  EXPECT_GE(records[0].ended_ns, sent + static_cast<uint64_t>(std::chrono::nanoseconds(timeout).count()));
}

TEST_F(Rearm, AnEstablishedFlowThatIsOverdueEndsAtOnce) {
  const Tracker tracker(with_hour());
  tracker.run(conversation(handshake));
  const auto key = tracker.the_flow().key;
  tracker.set_timeouts(all_timeouts(1ms));
  EXPECT_EQ(tracker.rearm(XF_TABLE_ESTABLISHED, {key}), 1u);
  EXPECT_TRUE(tracker.empties());
  EXPECT_EQ(tracker.ended(), 1u);
}

TEST_F(Rearm, AFlowWhoseTimeoutIsTheSameLivesOn) {
  const Tracker tracker(with_hour());
  tracker.run(udp());
  EXPECT_EQ(tracker.rearm(XF_TABLE_HALF_OPEN, {tracker.the_flow().key}), 1u);
  EXPECT_EQ(tracker.live(XF_TABLE_HALF_OPEN), 1u);
  EXPECT_EQ(tracker.ended(), 0u);
}

TEST_F(Rearm, AbsentFlowsAndThoseOfTheOtherTableAreLeftAlone) {
  const Tracker tracker(with_hour());
  tracker.run(udp());
  const auto key = tracker.the_flow().key;
  auto absent = key;
  absent.low_port ^= 1;
  auto no_zone = key;
  no_zone.zone = 255;
  EXPECT_EQ(tracker.rearm(XF_TABLE_HALF_OPEN, {absent, no_zone}), 0u);
  EXPECT_EQ(tracker.rearm(XF_TABLE_ESTABLISHED, {key}), 0u);
  EXPECT_EQ(tracker.rearm(XF_TABLES, {key}), 0u);
  EXPECT_EQ(tracker.counted(XF_TABLE_HALF_OPEN), 1u);
}

TEST_F(Rearm, AnEndedFlowIsLeftToTheReaper) {
  auto options = with_hour();
  options.reaper = false;  // so that the ended entry stays
  options.timeouts = all_timeouts(20ms);
  const Tracker tracker(options);
  tracker.run(udp());
  const auto key = tracker.the_flow().key;
  ASSERT_TRUE(eventually(wide, [&] { return tracker.ended() == 1; }));
  EXPECT_EQ(tracker.counted(XF_TABLE_HALF_OPEN), 1u);
  EXPECT_EQ(tracker.rearm(XF_TABLE_HALF_OPEN, {key}), 0u);
  EXPECT_EQ(tracker.records().size(), 1u);
}

TEST_F(Rearm, AnOrphanHasNoTimerToSet) {
  auto options = with_hour();
  options.reaper = false;  // so that nobody gives it a timer
  Tracker tracker(options);
  tracker.let_go_of_tables();
  tracker.run(udp());
  tracker.hold_tables();
  const auto entry = tracker.the_flow();
  ASSERT_TRUE(entry.has(XF_FLOW_ORPHAN));
  EXPECT_EQ(tracker.rearm(XF_TABLE_HALF_OPEN, {entry.key}), 0u);
  EXPECT_TRUE(tracker.the_flow().has(XF_FLOW_ORPHAN));
}

TEST_F(Rearm, MoreKeysThanFitOneRunAreSetInSeveral) {
  const Tracker tracker(with_hour());
  constexpr uint16_t count = XF_ADMIN_BATCH_MAX + 100;
  for (uint16_t i = 0; i < count; i++) tracker.run(udp().from("192.0.2.1", 1000 + i));
  std::vector<xf_flow_key> keys;
  for (const auto& entry : tracker.entries(XF_TABLE_HALF_OPEN)) keys.push_back(entry.key);
  tracker.set_timeouts(all_timeouts(1ms));
  EXPECT_EQ(tracker.rearm(XF_TABLE_HALF_OPEN, keys), count);
  EXPECT_TRUE(tracker.empties());
  EXPECT_EQ(tracker.ended(), count);
}

}  // namespace
}  // namespace xdpflowd::test
