// SPDX-License-Identifier: GPL-2.0-or-later
// A flow leaves by its own timer: on time, never early, and without work while nothing ends.
#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <numeric>
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

class FlowTimer : public testing::Test {
 protected:
  /// These tests are about timers: they need them.
  static void SetUpTestSuite() { ASSERT_TRUE(prime_timers(20'000)); }
};

uint64_t ns(std::chrono::nanoseconds time) {
  return static_cast<uint64_t>(time.count());
}

TrackerOptions with(const Timeouts& timeouts) {
  TrackerOptions options;
  options.timeouts = timeouts;
  return options;
}

uint64_t sum(const xf_histogram& histogram) {
  return std::accumulate(std::begin(histogram.bucket), std::end(histogram.bucket), uint64_t{0});
}

// ---- when ----

struct TimeoutCase {
  std::string name;
  std::vector<Packet> packets;
  xf_timeout timeout;  // the one that is short; all others are an hour
};

std::ostream& operator<<(std::ostream& out, const TimeoutCase& c) {
  return out << c.name;
}

std::vector<TimeoutCase> timeout_cases() {
  const auto later = udp().payload(64).fragment(1480, true);
  return {
      {"syn_sent", conversation(">S"), XF_TIMEOUT_TCP_SYN_SENT},
      {"syn_recv", conversation(">S <S."), XF_TIMEOUT_TCP_SYN_RECV},
      {"established", conversation(handshake), XF_TIMEOUT_TCP_ESTABLISHED},
      {"fin_wait", conversation(handshake + ">F."), XF_TIMEOUT_TCP_FIN_WAIT},
      {"close_wait", conversation(handshake + ">F. <."), XF_TIMEOUT_TCP_CLOSE_WAIT},
      {"last_ack", conversation(handshake + ">F. <F."), XF_TIMEOUT_TCP_LAST_ACK},
      {"time_wait", conversation(handshake + ">F. <F. >."), XF_TIMEOUT_TCP_TIME_WAIT},
      {"close", conversation(handshake + "<R"), XF_TIMEOUT_TCP_CLOSE},
      {"closed_port", conversation(">S <R."), XF_TIMEOUT_TCP_CLOSE},
      {"udp", {udp()}, XF_TIMEOUT_UDP},
      {"udp_replied_but_not_proven", {udp(), udp().reversed()}, XF_TIMEOUT_UDP},
      {"udp_stream", {udp(), udp().reversed(), udp()}, XF_TIMEOUT_UDP_STREAM},
      {"icmp", {icmp()}, XF_TIMEOUT_ICMP},
      {"icmpv6", {icmpv6()}, XF_TIMEOUT_ICMP},
      {"generic", {ip_protocol(47).payload(20)}, XF_TIMEOUT_GENERIC},
      {"fragment", {later}, XF_TIMEOUT_GENERIC},
      {"half_open_in_mid_stream", conversation(">P."), XF_TIMEOUT_TCP_SYN_SENT},
      {"half_open_and_closing", conversation(">F."), XF_TIMEOUT_TCP_SYN_SENT},
      {"half_open_one_way", conversation(">S >. >P."), XF_TIMEOUT_TCP_SYN_SENT},
  };
}

class TimedOut : public FlowTimer, public testing::WithParamInterface<TimeoutCase> {};

TEST_P(TimedOut, LeavesOnTimeAndNotBefore) {
  constexpr auto timeout = 100ms;
  const Tracker tracker(with(with_timeout(GetParam().timeout, timeout, all_timeouts(1h))));
  auto packets = GetParam().packets;
  const Packet last = packets.back();
  packets.pop_back();
  tracker.run(packets);
  const uint64_t sent = send_time_ns();
  tracker.run(last);
  std::vector<xf_record> records;
  ASSERT_TRUE(eventually(wide, [&] {
    for (const auto& record : tracker.records()) records.push_back(record);
    return !records.empty();
  }));
  ASSERT_EQ(records.size(), 1u);
  EXPECT_GE(records[0].ended_ns, sent + ns(timeout));
  EXPECT_TRUE(tracker.empties());
  EXPECT_EQ(tracker.ended(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Expiry, TimedOut, testing::ValuesIn(timeout_cases()),
                         [](const auto& info) { return info.param.name; });

TEST_F(FlowTimer, NeverFiresBeforeTheTimeoutAfterTheLastPacket) {
  // The coarse clock is behind: no flow may pay for that, wherever in the tick its last packet falls.
  constexpr auto timeout = 300ms;
  constexpr uint16_t flows = 50;
  const Tracker tracker(with(with_timeout(XF_TIMEOUT_UDP, timeout)));
  for (uint16_t i = 0; i < flows; i++) tracker.run(udp().from("192.0.2.1", i));
  std::this_thread::sleep_for(20ms);
  std::vector<uint64_t> sent;
  for (uint16_t i = 0; i < flows; i++) {
    sent.push_back(send_time_ns());
    tracker.run(udp().from("192.0.2.1", i));
    std::this_thread::sleep_for(700us);
  }
  ASSERT_TRUE(tracker.empties());
  const auto records = tracker.records();
  ASSERT_EQ(records.size(), sent.size());
  for (const auto& record : records) {
    const uint16_t flow = ntohs(record.key.low_port);
    EXPECT_GE(record.ended_ns, sent.at(flow) + ns(timeout)) << "flow " << flow;
  }
}

TEST_F(FlowTimer, IsReadAnewWhenTheTimeoutsChange) {
  const Tracker tracker(with(with_timeout(XF_TIMEOUT_UDP, 100ms)));
  tracker.run(udp());
  tracker.set_timeouts(with_timeout(XF_TIMEOUT_UDP, 1h));
  ASSERT_TRUE(eventually(wide, [&] { return tracker.global_stats().callbacks[XF_CALLBACK_REARMED] == 1; }));
  EXPECT_EQ(tracker.live(XF_TABLE_HALF_OPEN), 1u);
}

// ---- lazy re-arm ----

TEST_F(FlowTimer, IsReArmedByItsCallbackForWhatIsLeftAndNotByPackets) {
  constexpr auto timeout = 600ms;
  const Tracker tracker(with(with_timeout(XF_TIMEOUT_UDP, timeout)));
  tracker.run(udp());
  std::this_thread::sleep_for(150ms);
  const uint64_t last = send_time_ns();
  tracker.run(udp());
  ASSERT_TRUE(tracker.empties());
  // Had the second packet set the timer anew, it would have fired once.
  EXPECT_EQ(tracker.global_stats().callbacks[XF_CALLBACK_REARMED], 1u);
  EXPECT_EQ(tracker.global_stats().callbacks[XF_CALLBACK_ENDED], 1u);
  EXPECT_GE(tracker.records().at(0).ended_ns, last + ns(timeout));
}

TEST_F(FlowTimer, KeepsAFlowWithPackets) {
  constexpr auto timeout = 300ms;
  const Tracker tracker(with(with_timeout(XF_TIMEOUT_UDP, timeout)));
  const uint64_t start = monotonic_ns();
  uint64_t packets = 0;
  for (; monotonic_ns() < start + 4 * ns(timeout); packets++) {
    tracker.run(udp());
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_EQ(tracker.the_flow().flow.forward.packets, packets);
  EXPECT_EQ(tracker.ended(), 0u);
  EXPECT_LE(tracker.global_stats().callbacks[XF_CALLBACK_REARMED], 6u);
  ASSERT_TRUE(tracker.empties());
  EXPECT_EQ(tracker.records().at(0).forward.packets, packets);
}

TEST_F(FlowTimer, OfAPromotedFlowIsItsOwn) {
  // The half-open entry's timer goes with that entry.
  const Tracker tracker(with(with_timeout(XF_TIMEOUT_UDP, 100ms, all_timeouts(1h))));
  tracker.run({udp(), udp().reversed(), udp()});
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(tracker.live(XF_TABLE_ESTABLISHED), 1u);
  EXPECT_EQ(tracker.ended(), 0u);
  const auto stats = tracker.global_stats();
  EXPECT_EQ(stats.callbacks[XF_CALLBACK_REARMED] + stats.callbacks[XF_CALLBACK_ENDED], 0u);
}

// ---- how many, and nothing else ----

TEST_F(FlowTimer, LatenessAndReapDelayAreObservedOncePerEnd) {
  const Tracker tracker(with(with_timeout(XF_TIMEOUT_UDP, 50ms)));
  Template flows(udp(), Template::Side::source);
  constexpr uint32_t count = 500;
  for (uint32_t i = 0; i < count; i++) tracker.run(flows.numbered(i));
  ASSERT_TRUE(tracker.empties());
  EXPECT_EQ(tracker.ended(), count);
  EXPECT_EQ(sum(tracker.histogram(XF_HISTOGRAM_LATENESS)), count);
  EXPECT_EQ(sum(tracker.histogram(XF_HISTOGRAM_REAP_DELAY)), count);
  const auto stats = tracker.global_stats();
  EXPECT_EQ(stats.callbacks[XF_CALLBACK_REARMED] + stats.callbacks[XF_CALLBACK_ENDED], count);
  EXPECT_EQ(std::accumulate(std::begin(stats.errors), std::end(stats.errors), 0u), 0u);
}

TEST_F(FlowTimer, RunsNothingWhileNothingEnds) {
  const Tracker tracker(with(with_timeout(XF_TIMEOUT_ICMP, 20ms, all_timeouts(1h))));
  tracker.run(icmp());
  for (uint16_t i = 0; i < 100; i++) tracker.run(udp().from("192.0.2.1", 1000 + i));
  ASSERT_TRUE(eventually(
      wide, [&] { return tracker.counted(XF_TABLE_HALF_OPEN) == 100 && tracker.reaper().awake == 0; }));
  const auto heartbeat = tracker.reaper().heartbeat_ns;
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(tracker.reaper().heartbeat_ns, heartbeat);
  EXPECT_EQ(tracker.global_stats().callbacks[XF_CALLBACK_REARMED], 0u);
  EXPECT_EQ(tracker.global_stats().callbacks[XF_CALLBACK_ENDED], 1u);
}

}  // namespace
}  // namespace xdpflowd::test
