// SPDX-License-Identifier: GPL-2.0-or-later
// An entry that has ended, or should have by now, is as good as gone: the packet that meets it makes room for
// a flow of its own.
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <thread>

#include "base/clock.h"
#include "conversation.h"
#include "support/process.h"
#include "support/tracker.h"

namespace xdpflowd::test {
namespace {

using namespace std::chrono_literals;

/// Longer than the ticks by which a packet's clock may be behind.
void let_pass(std::chrono::milliseconds time) {
  std::this_thread::sleep_for(time + 50ms);
}

/// What is expected when the one flow made way for the packet that came last.
void expect_new_flow(const Tracker& tracker, xf_reason reason, uint64_t old_packets) {
  const Entry entry = tracker.the_flow();
  EXPECT_EQ(entry.flow.forward.packets, 1u);
  EXPECT_EQ(entry.flow.reverse.packets, 0u);
  EXPECT_EQ(entry.flow.icmp_errors, 0u);
  EXPECT_EQ(tracker.zone_stats().created, 2u);
  EXPECT_EQ(tracker.ended(), 1u);
  const auto records = tracker.records();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].reason, reason);
  EXPECT_EQ(records[0].forward.packets + records[0].reverse.packets, old_packets);
  EXPECT_LE(records[0].ended_ns, entry.flow.created_ns + 2 * coarse_tick_ns());
}

TEST(OverdueEntry, MakesWayForANewFlow) {
  // Its timer was set under the longer timeout and has not fired yet. The new flow must live until we have
  // looked.
  constexpr auto timeout = 500ms;
  const Tracker tracker;
  tracker.run({udp(), udp(), udp()});
  tracker.set_timeouts(with_timeout(XF_TIMEOUT_UDP, timeout));
  let_pass(timeout);
  tracker.run(udp());
  expect_new_flow(tracker, XF_REASON_IDLE, 3);
}

TEST(OverdueEntry, OfTheEstablishedTableMakesWayToo) {
  const Tracker tracker;
  tracker.run({udp(), udp().reversed(), udp()});
  ASSERT_EQ(tracker.live(XF_TABLE_ESTABLISHED), 1u);
  tracker.set_timeouts(with_timeout(XF_TIMEOUT_UDP_STREAM, 1ms));
  let_pass(1ms);
  tracker.run(udp());
  expect_new_flow(tracker, XF_REASON_IDLE, 3);
  EXPECT_EQ(tracker.counted(XF_TABLE_ESTABLISHED), 0u);
  EXPECT_EQ(tracker.live(XF_TABLE_HALF_OPEN), 1u);
}

TEST(OverdueEntry, HasTheReasonOfItsState) {
  const Tracker tracker;
  tracker.run(conversation(handshake + ">R"));
  tracker.set_timeouts(with_timeout(XF_TIMEOUT_TCP_CLOSE, 1ms));
  let_pass(1ms);
  tracker.run(segment(">P."));
  expect_new_flow(tracker, XF_REASON_RESET, 4);
}

TEST(EndedEntry, MakesWayForANewFlowWithoutASecondRecord) {
  // Nobody reaps: it stays in the table as ended.
  const Tracker tracker({.timeouts = with_timeout(XF_TIMEOUT_UDP, 20ms), .reaper = false});
  tracker.run({udp(), udp()});
  ASSERT_TRUE(eventually(10s, [&] { return tracker.ended() == 1; }));
  ASSERT_EQ(tracker.counted(XF_TABLE_HALF_OPEN), 1u);
  tracker.set_timeouts(default_timeouts());
  tracker.run(udp());
  expect_new_flow(tracker, XF_REASON_IDLE, 2);
  EXPECT_EQ(tracker.counted(XF_TABLE_HALF_OPEN), 1u);
}

TEST(EndedEntry, ThatWasReplacedIsNotReapedWithTheNewFlow) {
  // The key of the old flow still waits in the queue when the reaper comes to life.
  const Tracker tracker({.timeouts = with_timeout(XF_TIMEOUT_UDP, 20ms), .reaper = false});
  tracker.run(udp());
  ASSERT_TRUE(eventually(10s, [&] { return tracker.ended() == 1; }));
  tracker.set_timeouts(default_timeouts());
  tracker.run(udp());
  tracker.start_reaper();
  ASSERT_TRUE(eventually(10s, [&] { return tracker.reaper().awake == 0; }));
  EXPECT_EQ(tracker.the_flow().flow.forward.packets, 1u);
}

TEST(EntryBeingDeleted, LetsThePacketPassUntracked) {
  const Tracker tracker;
  tracker.run(udp());
  Entry entry = tracker.the_flow();
  entry.flow.phase = (entry.flow.phase & ~0xffU) | XF_PHASE_REAPING;
  ASSERT_EQ(bpf_map_update_elem(tracker.table(XF_TABLE_HALF_OPEN), &entry.key, &entry.flow, BPF_EXIST), 0);
  EXPECT_EQ(tracker.run(udp()), XDP_PASS);
  EXPECT_EQ(tracker.interface_stats().untracked[XF_UNTRACKED_REAPING], 1u);
  EXPECT_EQ(tracker.zone_stats().created, 1u);
}

// ---- SYN on a closing flow ----

struct ReplacedCase {
  std::string name;
  std::string closing;  // the flow so far
  std::string opener;   // the packet that begins another one
  xf_state old_state, new_state;
};

std::ostream& operator<<(std::ostream& out, const ReplacedCase& c) {
  return out << c.name;
}

std::vector<ReplacedCase> replaced_cases() {
  return {
      {"fin_wait", handshake + ">F.", ">S", XF_STATE_FIN_WAIT, XF_STATE_SYN_SENT},
      {"close_wait", handshake + ">F. <.", ">S", XF_STATE_CLOSE_WAIT, XF_STATE_SYN_SENT},
      {"last_ack", handshake + ">F. <F.", ">S", XF_STATE_LAST_ACK, XF_STATE_SYN_SENT},
      {"time_wait", handshake + ">F. <F. >.", ">S", XF_STATE_TIME_WAIT, XF_STATE_SYN_SENT},
      {"close", handshake + "<R", ">S", XF_STATE_CLOSE, XF_STATE_SYN_SENT},
      {"closed_port_tried_again", ">S <R.", ">S", XF_STATE_CLOSE, XF_STATE_SYN_SENT},
      {"syn_of_the_other_end", handshake + ">F. <F. >.", "<S", XF_STATE_TIME_WAIT, XF_STATE_SYN_SENT},
      {"synack_of_the_one_visible_end", "<S. <P. <F. <.", "<S.", XF_STATE_TIME_WAIT, XF_STATE_SYN_RECV},
  };
}

class ClosingFlow : public testing::TestWithParam<ReplacedCase> {};

TEST_P(ClosingFlow, IsReplacedByANewOneWithCountersFromZero) {
  const Tracker tracker;
  const auto& c = GetParam();
  const auto packets = conversation(c.closing);
  tracker.run(packets);
  ASSERT_EQ(tracker.the_flow().state(), c.old_state);
  tracker.run(segment(c.opener));
  EXPECT_EQ(tracker.the_flow().state(), c.new_state);
  EXPECT_EQ(tracker.the_flow().has(XF_FLOW_HIGH_STARTED), c.opener[0] == '<');
  EXPECT_EQ(tracker.live(XF_TABLE_HALF_OPEN), 1u);
  expect_new_flow(tracker, XF_REASON_REPLACED, packets.size());
}

INSTANTIATE_TEST_SUITE_P(Syn, ClosingFlow, testing::ValuesIn(replaced_cases()),
                         [](const auto& info) { return info.param.name; });

struct KeptCase {
  std::string name;
  std::string before;
  std::string packet;
  xf_state state;
};

std::ostream& operator<<(std::ostream& out, const KeptCase& c) {
  return out << c.name;
}

class FlowThatGoesOn : public testing::TestWithParam<KeptCase> {};

TEST_P(FlowThatGoesOn, KeepsItsEntryAndCounters) {
  const Tracker tracker;
  const auto packets = conversation(GetParam().before);
  tracker.run(packets);
  tracker.run(segment(GetParam().packet));
  const Entry entry = tracker.the_flow();
  EXPECT_EQ(entry.state(), GetParam().state);
  EXPECT_EQ(entry.flow.forward.packets + entry.flow.reverse.packets, packets.size() + 1);
  EXPECT_EQ(tracker.ended(), 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Syn, FlowThatGoesOn,
    testing::Values(
        KeptCase{"syn_on_an_established_flow", handshake, ">S", XF_STATE_ESTABLISHED},
        KeptCase{"syn_of_the_responder_on_an_established_flow", handshake, "<S", XF_STATE_ESTABLISHED},
        KeptCase{"synack_on_an_established_flow", handshake, "<S.", XF_STATE_ESTABLISHED},
        KeptCase{"retransmitted_syn", ">S", ">S", XF_STATE_SYN_SENT},
        KeptCase{"synack_on_a_closing_flow_of_two_ends", handshake + ">F.", "<S.", XF_STATE_FIN_WAIT},
        KeptCase{"synack_of_the_end_not_seen_before", ">S >. >F.", "<S.", XF_STATE_FIN_WAIT}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace xdpflowd::test
