// SPDX-License-Identifier: GPL-2.0-or-later
// Flows that come in from a data plane of another layout.
#include <gtest/gtest.h>

#include "base/clock.h"
#include "conversation.h"
#include "support/process.h"
#include "support/timers.h"
#include "support/tracker.h"

namespace xdpflowd::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* client = "192.0.2.1";
constexpr const char* server = "198.51.100.1";

class Adopt : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(prime_timers(20'000)); }

  static TrackerOptions with(std::chrono::nanoseconds timeout) {
    TrackerOptions options;
    options.timeouts = all_timeouts(timeout);
    return options;
  }

  static Packet up(const Packet& kind = udp()) { return Packet(kind).from(client, 4000).to(server, 53); }
  static Packet down(const Packet& kind = udp()) { return Packet(kind).from(server, 53).to(client, 4000); }

  /// What packets make of it elsewhere, `ago` before now.
  static xf_adopted flow_of(const std::vector<Packet>& packets, std::chrono::nanoseconds ago = 1s) {
    const Tracker elsewhere(with(1h));
    elsewhere.run(packets);
    const Entry entry = elsewhere.the_flow();
    xf_adopted adopted{.key = entry.key, .flow = entry.flow};
    adopted.flow.created_ns -= static_cast<uint64_t>(ago.count());
    adopted.flow.last_seen_ns -= static_cast<uint64_t>(ago.count());
    return adopted;
  }

  /// As the former totals do.
  static void count_as_created(const Tracker& tracker, uint64_t flows, uint64_t promoted = 0) {
    xf_addend row{};
    row.head.total = XF_TOTAL_ZONE;
    row.word[offsetof(xf_zone_stats, created) / 8] = flows;
    row.word[offsetof(xf_zone_stats, promoted) / 8] = promoted;
    tracker.add({row});
  }

  static void expect_balance(const Tracker& tracker) {
    EXPECT_EQ(tracker.evicted(XF_TABLE_HALF_OPEN), 0);
    EXPECT_EQ(tracker.evicted(XF_TABLE_ESTABLISHED), 0);
  }
};

TEST_F(Adopt, AFlowIsTheSameFlow) {
  const Tracker tracker(with(1h));
  const auto adopted = flow_of({up().payload(10), down(), down()});
  count_as_created(tracker, 1);
  EXPECT_EQ(tracker.adopt(XF_TABLE_HALF_OPEN, {adopted}), 0u);
  const Entry entry = tracker.the_flow();
  EXPECT_EQ(entry.flow.created_ns, adopted.flow.created_ns);
  EXPECT_EQ(entry.flow.last_seen_ns, adopted.flow.last_seen_ns);
  EXPECT_EQ(entry.flow.forward.bytes, adopted.flow.forward.bytes);
  EXPECT_EQ(entry.flow.reverse.packets, 2u);
  EXPECT_EQ(entry.state(), XF_STATE_REPLIED);
  EXPECT_FALSE(entry.has(XF_FLOW_ORPHAN));
  expect_balance(tracker);
}

TEST_F(Adopt, WhatIsLeftOfTheDeadlineIsKept) {
  const Tracker tracker(with(3s));
  const auto adopted = flow_of({up()}, 2s);
  count_as_created(tracker, 1);
  const auto began_ns = monotonic_ns();
  tracker.adopt(XF_TABLE_HALF_OPEN, {adopted});
  ASSERT_TRUE(eventually(wide, [&] { return tracker.ended() == 1; }));
  EXPECT_LT(monotonic_ns() - began_ns, 2'500'000'000u);
  const auto records = tracker.records();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].created_ns, adopted.flow.created_ns);
  EXPECT_EQ(records[0].reason, XF_REASON_IDLE);
}

TEST_F(Adopt, OneThatIsOverdueEndsAtOnce) {
  const Tracker tracker(with(3s));
  count_as_created(tracker, 1);
  tracker.adopt(XF_TABLE_ESTABLISHED, {flow_of({up()}, 1h)});
  EXPECT_TRUE(eventually(1s, [&] { return tracker.ended() == 1; }));
}

TEST_F(Adopt, WithoutATimerItIsAnOrphanThatEndsInTime) {
  Tracker tracker(with(1s));
  tracker.let_go_of_tables();
  count_as_created(tracker, 1);
  tracker.adopt(XF_TABLE_HALF_OPEN, {flow_of({up()}, 0s)});
  tracker.hold_tables();
  EXPECT_EQ(tracker.zone_stats().orphaned, 1u);
  EXPECT_TRUE(eventually(wide, [&] { return tracker.ended() == 1; }));
}

TEST_F(Adopt, AgainChangesNothing) {
  const Tracker tracker(with(1h));
  const auto adopted = flow_of({up(), down()});
  count_as_created(tracker, 1);
  tracker.adopt(XF_TABLE_HALF_OPEN, {adopted, adopted});
  tracker.run(down());
  EXPECT_EQ(tracker.adopt(XF_TABLE_HALF_OPEN, {adopted}), 0u);
  EXPECT_EQ(tracker.the_flow().flow.forward.packets, 1u);
  EXPECT_EQ(tracker.the_flow().flow.reverse.packets, 2u);
  expect_balance(tracker);
}

TEST_F(Adopt, OneThatWasPromotedSinceIsNotTakenInAgain) {
  const Tracker tracker(with(1h));
  const auto adopted = flow_of({up(), down()});
  count_as_created(tracker, 1);
  tracker.adopt(XF_TABLE_HALF_OPEN, {adopted});
  tracker.run(up());
  ASSERT_EQ(tracker.live(XF_TABLE_ESTABLISHED), 1u);
  tracker.adopt(XF_TABLE_HALF_OPEN, {adopted});
  EXPECT_EQ(tracker.the_flow().flow.forward.packets, 2u);
  expect_balance(tracker);
}

TEST_F(Adopt, ATwinOfTheOtherDirectionIsFoldedIn) {
  for (const auto table : {XF_TABLE_HALF_OPEN, XF_TABLE_ESTABLISHED}) {
    const Tracker tracker(with(1h));
    const auto adopted = flow_of({up(), up()});
    tracker.run({down().payload(100), down(), down()});
    count_as_created(tracker, 1, table == XF_TABLE_ESTABLISHED);
    EXPECT_EQ(tracker.adopt(table, {adopted}), 0u);
    ASSERT_TRUE(eventually(
        wide, [&] { return tracker.counted(XF_TABLE_HALF_OPEN) == (table == XF_TABLE_HALF_OPEN); }));
    const Entry entry = tracker.the_flow();
    EXPECT_EQ(entry.flow.created_ns, adopted.flow.created_ns);
    EXPECT_EQ(entry.has(XF_FLOW_HIGH_STARTED), (adopted.flow.status.flags & XF_FLOW_HIGH_STARTED) != 0);
    EXPECT_EQ(entry.flow.forward.packets, 2u);
    EXPECT_EQ(entry.flow.reverse.packets, 3u);
    EXPECT_EQ(entry.flow.reverse.bytes, down().payload(100).l3_bytes() + 2 * down().l3_bytes());
    EXPECT_GT(entry.flow.last_seen_ns, adopted.flow.last_seen_ns);
    EXPECT_EQ(entry.state(), XF_STATE_REPLIED);
    EXPECT_TRUE(entry.has(XF_FLOW_REPLIED));
    EXPECT_EQ(tracker.zone_stats().created, 1u);
    EXPECT_EQ(tracker.records().size(), 0u);
    expect_balance(tracker);
  }
}

TEST_F(Adopt, ATwinThatWasPromotedTakesTheFlowAlong) {
  for (const auto table : {XF_TABLE_HALF_OPEN, XF_TABLE_ESTABLISHED}) {
    const Tracker tracker(with(1h));
    const auto adopted = flow_of({up()});
    tracker.run({down(), up(), down()});
    ASSERT_EQ(tracker.live(XF_TABLE_ESTABLISHED), 1u);
    count_as_created(tracker, 1, table == XF_TABLE_ESTABLISHED);
    EXPECT_EQ(tracker.adopt(table, {adopted}), 0u);
    EXPECT_EQ(tracker.live(XF_TABLE_ESTABLISHED), 1u);
    EXPECT_EQ(tracker.the_flow().flow.forward.packets, 2u);
    EXPECT_EQ(tracker.the_flow().flow.reverse.packets, 2u);
    EXPECT_EQ(tracker.zone_stats().created, 1u);
    EXPECT_EQ(tracker.zone_stats().promoted, 1u);
    expect_balance(tracker);
  }
}

TEST_F(Adopt, ATwinThatIsClosingClosesTheFlow) {
  const struct {
    Packet last;
    xf_state state;
  } cases[] = {{down(tcp().rst()), XF_STATE_CLOSE}, {down(tcp().fin().ack()), XF_STATE_FIN_WAIT}};
  for (const auto& [last, state] : cases) {
    const Tracker tracker(with(1h));
    auto adopted = flow_of({up(tcp().ack()), down(tcp().ack())});
    count_as_created(tracker, 1, 1);
    tracker.run(last);
    tracker.adopt(XF_TABLE_ESTABLISHED, {adopted});
    EXPECT_EQ(tracker.the_flow().state(), state);
    EXPECT_EQ(tracker.the_flow().has(XF_FLOW_FIN_REVERSE), state == XF_STATE_FIN_WAIT);
    EXPECT_FALSE(tracker.the_flow().has(XF_FLOW_FIN_FORWARD));
    expect_balance(tracker);
  }
}

TEST_F(Adopt, AClosingFlowThatASynHasReplacedEndsWithItsRecord) {
  const Tracker tracker(with(1h));
  const auto adopted = flow_of({up(tcp().ack()), down(tcp().rst())});
  count_as_created(tracker, 1);
  tracker.run(up(tcp().syn()));
  EXPECT_EQ(tracker.adopt(XF_TABLE_HALF_OPEN, {adopted}), 0u);
  EXPECT_EQ(tracker.the_flow().state(), XF_STATE_SYN_SENT);
  const auto records = tracker.records();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].reason, XF_REASON_REPLACED);
  EXPECT_EQ(records[0].created_ns, adopted.flow.created_ns);
  EXPECT_EQ(records[0].forward.packets + records[0].reverse.packets, 2u);
  EXPECT_EQ(tracker.zone_stats().created, 2u);
  expect_balance(tracker);
}

TEST_F(Adopt, AZoneThatIsNotThereRefuses) {
  const Tracker tracker(with(1h));
  auto adopted = flow_of({up()});
  adopted.key.zone = 7;
  EXPECT_EQ(tracker.adopt(XF_TABLE_HALF_OPEN, {adopted}), 1u);
}

TEST_F(Adopt, ThousandsComeInAtOnce) {
  const Tracker tracker(with(1h));
  std::vector<xf_adopted> flows(2000, flow_of({up()}));
  for (uint16_t i = 0; i < flows.size(); ++i) flows[i].key.low_port = i;
  count_as_created(tracker, flows.size());
  EXPECT_EQ(tracker.adopt(XF_TABLE_HALF_OPEN, flows), 0u);
  EXPECT_EQ(tracker.live(XF_TABLE_HALF_OPEN) + static_cast<size_t>(tracker.evicted(XF_TABLE_HALF_OPEN)),
            2000u);
}

TEST_F(Adopt, ARowOfTotalsIsAddedOnce) {
  const Tracker tracker(with(1h));
  std::vector<xf_addend> rows(XF_TOTALS);
  for (uint32_t i = 0; i < rows.size(); ++i) {
    rows[i].head = {.row = i, .total = i, .index = 0, .zero = 0};
    for (auto& word : rows[i].word) word = 100 + i;
  }
  tracker.add(rows);
  tracker.add(rows);
  tracker.run(up());
  EXPECT_EQ(tracker.interface_stats().packets[XF_VERDICT_CREATED], 101u);
  EXPECT_EQ(tracker.zone_stats().created, 102u);
  EXPECT_EQ(tracker.global_stats().errors[XF_ERRORS - 1], 102u);
  EXPECT_EQ(tracker.histogram(XF_HISTOGRAM_LATENESS).sum_ns, 103u);
}

}  // namespace
}  // namespace xdpflowd::test
