// SPDX-License-Identifier: GPL-2.0-or-later
// What a flow leaves behind when it ends: one record, or an exact count of those that are lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "base/clock.h"
#include "conversation.h"
#include "flood.h"
#include "send_time.h"
#include "support/process.h"
#include "support/timers.h"
#include "support/tracker.h"

namespace xdpflowd::test {
namespace {

using namespace std::chrono_literals;

class FlowRecord : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(prime_timers(20'000)); }
};

struct ReasonCase {
  std::string name;
  std::vector<Packet> packets;
  xf_state state;
  xf_reason reason;
  xf_table table;
};

std::ostream& operator<<(std::ostream& out, const ReasonCase& c) {
  return out << c.name;
}

std::vector<ReasonCase> reason_cases() {
  const auto half = XF_TABLE_HALF_OPEN, full = XF_TABLE_ESTABLISHED;
  const auto closed = XF_REASON_CLOSED, idle = XF_REASON_IDLE;
  return {
      {"syn_sent", conversation(">S"), XF_STATE_SYN_SENT, idle, half},
      {"syn_recv", conversation(">S <S."), XF_STATE_SYN_RECV, idle, half},
      {"established", conversation(handshake), XF_STATE_ESTABLISHED, idle, full},
      {"fin_wait_of_two_ends", conversation(handshake + ">F."), XF_STATE_FIN_WAIT, idle, full},
      {"fin_wait_of_one_end", conversation(">S >. >F."), XF_STATE_FIN_WAIT, closed, half},
      {"close_wait", conversation(handshake + ">F. <."), XF_STATE_CLOSE_WAIT, idle, full},
      {"last_ack", conversation(handshake + ">F. <F."), XF_STATE_LAST_ACK, closed, full},
      {"time_wait", conversation(handshake + ">F. <F. >."), XF_STATE_TIME_WAIT, closed, full},
      {"time_wait_of_one_end", conversation(">S >. >F. >."), XF_STATE_TIME_WAIT, closed, half},
      {"close", conversation(handshake + "<R"), XF_STATE_CLOSE, XF_REASON_RESET, full},
      {"closed_port", conversation(">S <R."), XF_STATE_CLOSE, XF_REASON_RESET, half},
      {"udp", {udp()}, XF_STATE_UNREPLIED, idle, half},
      {"udp_replied", {udp(), udp().reversed(), udp()}, XF_STATE_REPLIED, idle, full},
  };
}

class Reason : public FlowRecord, public testing::WithParamInterface<ReasonCase> {};

TEST_P(Reason, FollowsFromTheStateAndIsCountedWithTheTable) {
  const auto& c = GetParam();
  const Tracker tracker({.timeouts = all_timeouts(60ms)});
  tracker.run(c.packets);
  ASSERT_TRUE(tracker.empties());
  const auto records = tracker.records();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].reason, c.reason);
  EXPECT_EQ(records[0].status.state, c.state);
  const auto stats = tracker.zone_stats();
  EXPECT_EQ(stats.ended[c.table][c.reason], 1u);
  EXPECT_EQ(tracker.ended(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Record, Reason, testing::ValuesIn(reason_cases()),
                         [](const auto& info) { return info.param.name; });

TEST_F(FlowRecord, SaysAllAboutTheFlow) {
  const Tracker tracker({.timeouts = with_timeout(XF_TIMEOUT_UDP_STREAM, 400ms)});
  const uint64_t start = send_time_ns();
  const auto there = udp().from("2001:db8::2", 9000).to("2001:db8::1", 53).payload(11);
  tracker.run({there, Packet(there.reversed()).payload(500), there});
  tracker.run(icmpv6().icmp_type(1).quoting(there));
  std::this_thread::sleep_for(30ms);
  const uint64_t before_last = send_time_ns();
  tracker.run(there);
  const uint64_t after_last = monotonic_ns();
  const Entry entry = tracker.the_flow();
  ASSERT_TRUE(tracker.empties());
  const auto records = tracker.records();
  ASSERT_EQ(records.size(), 1u);
  const xf_record& record = records[0];
  EXPECT_EQ(std::memcmp(&record.key, &entry.key, sizeof record.key), 0);
  EXPECT_EQ(record.forward.packets, 3u);
  EXPECT_EQ(record.forward.bytes, 3 * there.l3_bytes());
  EXPECT_EQ(record.reverse.packets, 1u);
  EXPECT_EQ(record.reverse.bytes, 40 + 8 + 500u);
  EXPECT_EQ(record.icmp_errors, 1u);
  EXPECT_EQ(record.status.word, entry.flow.status.word);
  EXPECT_EQ(record.created_ns, entry.flow.created_ns);
  EXPECT_GE(record.created_ns + 2 * coarse_tick_ns(), start);
  EXPECT_GE(record.last_seen_ns + 2 * coarse_tick_ns(), before_last);
  EXPECT_LE(record.last_seen_ns, after_last);
  EXPECT_GE(record.ended_ns, before_last + 400'000'000);
  EXPECT_LE(record.ended_ns, monotonic_ns());
  EXPECT_TRUE(
      std::all_of(std::begin(record.zero), std::end(record.zero), [](auto byte) { return byte == 0; }));
}

TEST_F(FlowRecord, IsNotMadeWhenNobodyWantsIt) {
  TrackerOptions options{.timeouts = with_timeout(XF_TIMEOUT_UDP, 20ms), .records = false};
  options.records_ring = 4096;
  const Tracker tracker(options);
  for (uint16_t i = 0; i < 100; i++) tracker.run(udp().from("192.0.2.1", 1000 + i));
  ASSERT_TRUE(tracker.empties());
  EXPECT_EQ(tracker.ended(), 100u);
  EXPECT_TRUE(tracker.records().empty());
  EXPECT_EQ(tracker.global_stats().lost[XF_LOST_RECORD], 0u);
}

TEST_F(FlowRecord, IsLostToAFullRingButTheFlowEndsAndTheLossIsCounted) {
  TrackerOptions options{.timeouts = with_timeout(XF_TIMEOUT_UDP, 50ms)};
  options.records_ring = 4096;
  const Tracker tracker(options);
  constexpr uint64_t flows = 200;
  for (uint16_t i = 0; i < flows; i++) tracker.run(udp().from("192.0.2.1", 1000 + i));
  ASSERT_TRUE(tracker.empties());
  EXPECT_EQ(tracker.ended(), flows);
  const auto kept = tracker.records().size();
  EXPECT_EQ(kept, 4096 / (sizeof(xf_record) + 8));
  EXPECT_EQ(tracker.global_stats().lost[XF_LOST_RECORD], flows - kept);
}

// ---- flush ----

class Flush : public FlowRecord {};

TEST_F(Flush, EndsTheFlowsWithTheseKeysAndNoOthers) {
  const Tracker tracker;
  tracker.run({udp().from("192.0.2.1", 1), udp().from("192.0.2.1", 2), udp().from("192.0.2.1", 3)});
  auto entries = tracker.entries(XF_TABLE_HALF_OPEN);
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(tracker.flush(XF_TABLE_HALF_OPEN, {entries[0].key, entries[2].key}), 2u);
  const auto left = tracker.the_flow().key;
  EXPECT_EQ(std::memcmp(&left, &entries[1].key, sizeof left), 0);
  EXPECT_EQ(tracker.counted(XF_TABLE_HALF_OPEN), 1u);
  EXPECT_EQ(tracker.zone_stats().ended[XF_TABLE_HALF_OPEN][XF_REASON_FLUSHED], 2u);
  const auto records = tracker.records();
  ASSERT_EQ(records.size(), 2u);
  for (const auto& record : records) {
    EXPECT_EQ(record.reason, XF_REASON_FLUSHED);
    EXPECT_EQ(record.forward.packets, 1u);
  }
}

TEST_F(Flush, OfAnEstablishedFlowRecordsItsState) {
  const Tracker tracker;
  tracker.run(conversation(handshake + ">P. <P."));
  const Entry entry = tracker.the_flow();
  EXPECT_EQ(tracker.flush(XF_TABLE_HALF_OPEN, {entry.key}), 0u);
  EXPECT_EQ(tracker.flush(XF_TABLE_ESTABLISHED, {entry.key}), 1u);
  EXPECT_EQ(tracker.counted(XF_TABLE_ESTABLISHED), 0u);
  EXPECT_EQ(tracker.zone_stats().ended[XF_TABLE_ESTABLISHED][XF_REASON_FLUSHED], 1u);
  const auto record = tracker.records().at(0);
  EXPECT_EQ(record.status.state, XF_STATE_ESTABLISHED);
  EXPECT_EQ(record.forward.packets, 3u);
  EXPECT_EQ(record.reverse.packets, 2u);
}

TEST_F(Flush, TakesMoreKeysThanOneBatchHolds) {
  const Tracker tracker;
  Template flows(udp(), Template::Side::source);
  constexpr uint32_t count = 2 * XF_ADMIN_BATCH_MAX + 7;
  for (uint32_t i = 0; i < count; i++) tracker.run(flows.numbered(i));
  std::vector<xf_flow_key> keys;
  for (const auto& entry : tracker.entries(XF_TABLE_HALF_OPEN)) keys.push_back(entry.key);
  EXPECT_EQ(tracker.flush(XF_TABLE_HALF_OPEN, keys), count);
  EXPECT_EQ(tracker.counted(XF_TABLE_HALF_OPEN), 0u);
  EXPECT_EQ(tracker.records().size(), count);
}

TEST_F(Flush, OfAFlowThatEndedBeforeIsNone) {
  const Tracker tracker({.timeouts = with_timeout(XF_TIMEOUT_UDP, 100ms), .reaper = false});
  tracker.run(udp());
  const auto key = tracker.the_flow().key;
  ASSERT_TRUE(eventually(10s, [&] { return tracker.ended() == 1; }));
  EXPECT_EQ(tracker.flush(XF_TABLE_HALF_OPEN, {key}), 0u);
  EXPECT_EQ(tracker.records().size(), 1u);
}

TEST_F(Flush, OfAnUnknownKeyIsNone) {
  const Tracker tracker;
  xf_flow_key key{};
  EXPECT_EQ(tracker.flush(XF_TABLE_HALF_OPEN, {key}), 0u);
  key.zone = 200;
  EXPECT_EQ(tracker.flush(XF_TABLE_ESTABLISHED, {key}), 0u);
}

TEST_F(Flush, LeavesRoomForTheNextPacket) {
  const Tracker tracker;
  tracker.run({udp(), udp()});
  tracker.flush(XF_TABLE_HALF_OPEN, {tracker.the_flow().key});
  tracker.run(udp());
  EXPECT_EQ(tracker.the_flow().flow.forward.packets, 1u);
  EXPECT_EQ(tracker.zone_stats().created, 2u);
}

}  // namespace
}  // namespace xdpflowd::test
