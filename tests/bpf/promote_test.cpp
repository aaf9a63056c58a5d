// SPDX-License-Identifier: GPL-2.0-or-later
// half-open -> established: on which proof, and that a flow is the same before and after.
#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "conversation.h"
#include "support/tracker.h"

namespace xdpflowd::test {
namespace {

using namespace std::chrono_literals;

struct ProofCase {
  std::string name;
  std::vector<Packet> packets;
};

std::ostream& operator<<(std::ostream& out, const ProofCase& c) {
  return out << c.name;
}

/// A SYN, its SYN-ACK, and an ACK `beyond` the number that proves the handshake.
std::vector<Packet> acknowledged(uint32_t beyond) {
  auto packets = conversation(">S <S. >.");
  packets.back().ack_number(server_first + 1 + beyond);
  return packets;
}

/// The responder changes its mind about its first number; the ACK is of the second one.
std::vector<Packet> second_synack() {
  auto packets = conversation(">S <S. <S. >.");
  packets[2].seq(900'000'000);
  packets[3].ack_number(900'000'001);
  return packets;
}

std::vector<Packet> wrapping_number() {
  auto packets = conversation(">S <S. >.");
  packets[1].seq(0xffffffff);
  packets[2].ack_number(0);
  return packets;
}

std::vector<Packet> both_ways(const Packet& there) {
  return {there, there.reversed(), there};
}

Packet ping_reply() {
  return Packet(icmp().reversed()).icmp_type(0);
}

std::vector<ProofCase> proven() {
  return {
      {"ack_of_the_synack", conversation(">S <S. >.")},
      {"data_that_acknowledges_the_synack", conversation(">S <S. >P.")},
      {"ack_after_retransmissions", conversation(">S >S <S. >S <S. >.")},
      {"ack_with_fast_open_data_behind_the_synack", acknowledged(65'535)},
      {"ack_of_the_synack_that_came_last", second_synack()},
      {"ack_number_that_wraps", wrapping_number()},
      {"fin_that_acknowledges_the_synack", conversation(">S <S. >F.")},
      {"udp_initiator_after_a_reply", both_ways(udp())},
      {"udp_over_ipv6", both_ways(udp().from("2001:db8::2", 9).to("2001:db8::1", 53))},
      {"ping_after_a_reply", {icmp(), ping_reply(), icmp()}},
      {"another_protocol_after_a_reply", both_ways(ip_protocol(50).payload(20))},
  };
}

std::vector<ProofCase> unproven() {
  return {
      {"ack_of_less_than_the_synack", acknowledged(-1U)},
      {"ack_far_beyond_the_synack", acknowledged(65'536)},
      {"ack_of_nothing", acknowledged(1U << 31)},
      {"rst_instead_of_the_ack", conversation(">S <S. >R.")},
      {"rst_then_data", conversation(">S <S. >R >P. <P. >P.")},
      {"retransmitted_syns_and_synacks", conversation(">S <S. >S <S. >S <S. >S <S.")},
      {"packets_of_the_responder_alone", conversation(">S <S. <. <P. <P.")},
      {"initiator_that_answers_itself", conversation(">S >S. >. >P.")},
      {"ack_without_a_synack", conversation(">S >. >P. >P.")},
      {"synack_without_a_syn", conversation("<S. >. >P. <P.")},
      {"mid_stream_of_both_ends", conversation(">P. <. >P. <P. >.")},
      {"udp_without_a_reply", {udp(), udp(), udp(), udp()}},
      {"udp_reply_without_another_packet", {udp(), udp().reversed(), udp().reversed()}},
      {"ping_answered_once", {icmp(), ping_reply()}},
  };
}

class Proof : public testing::TestWithParam<ProofCase> {};

TEST_P(Proof, MovesTheFlowToTheEstablishedTable) {
  const Tracker tracker;
  auto packets = GetParam().packets;
  const Packet last = packets.back();
  packets.pop_back();
  tracker.run(packets);
  ASSERT_EQ(tracker.live(XF_TABLE_ESTABLISHED), 0u);
  tracker.run(last);
  EXPECT_EQ(tracker.live(XF_TABLE_ESTABLISHED), 1u);
  EXPECT_EQ(tracker.counted(XF_TABLE_HALF_OPEN), 0u);
  EXPECT_EQ(tracker.zone_stats().promoted, 1u);
}

INSTANTIATE_TEST_SUITE_P(Promote, Proof, testing::ValuesIn(proven()),
                         [](const auto& info) { return info.param.name; });

class NoProof : public testing::TestWithParam<ProofCase> {};

TEST_P(NoProof, LeavesTheFlowHalfOpen) {
  const Tracker tracker;
  tracker.run(GetParam().packets);
  EXPECT_EQ(tracker.live(XF_TABLE_HALF_OPEN), 1u);
  EXPECT_EQ(tracker.counted(XF_TABLE_ESTABLISHED), 0u);
  EXPECT_EQ(tracker.zone_stats().promoted, 0u);
}

INSTANTIATE_TEST_SUITE_P(Promote, NoProof, testing::ValuesIn(unproven()),
                         [](const auto& info) { return info.param.name; });

// ---- by count ----

TrackerOptions promoting_after(std::chrono::nanoseconds span, uint32_t packets) {
  TrackerOptions options;
  options.promote_packets = packets;
  options.knobs = [span](xdpflow_bpf* s) { s->rodata->promote_span_ns = static_cast<__u64>(span.count()); };
  return options;
}

struct CountCase {
  std::string name;
  Packet packet;
};

std::ostream& operator<<(std::ostream& out, const CountCase& c) {
  return out << c.name;
}

class OneWay : public testing::TestWithParam<CountCase> {
 protected:
  void run(const Tracker& tracker, int count) const {
    for (int i = 0; i < count; i++) tracker.run(GetParam().packet);
  }
};

TEST_P(OneWay, IsPromotedByEnoughPacketsOverTheSpan) {
  const Tracker tracker(promoting_after(100ms, 4));
  run(tracker, 3);
  std::this_thread::sleep_for(150ms);
  ASSERT_EQ(tracker.live(XF_TABLE_ESTABLISHED), 0u);
  run(tracker, 1);
  EXPECT_EQ(tracker.live(XF_TABLE_ESTABLISHED), 1u);
}

TEST_P(OneWay, IsNotPromotedByPacketsInNoTime) {
  const Tracker tracker(promoting_after(10min, 4));
  run(tracker, 100);
  EXPECT_EQ(tracker.live(XF_TABLE_ESTABLISHED), 0u);
}

TEST_P(OneWay, IsNotPromotedByTimeAlone) {
  const Tracker tracker(promoting_after(0s, 100));
  run(tracker, 99);
  EXPECT_EQ(tracker.live(XF_TABLE_ESTABLISHED), 0u);
}

INSTANTIATE_TEST_SUITE_P(Promote, OneWay,
                         testing::Values(CountCase{"udp", udp()},
                                         CountCase{"gre", ip_protocol(47).payload(9)},
                                         CountCase{"tcp_in_mid_stream", segment(">P.")},
                                         CountCase{"tcp_in_mid_stream_from_the_server", segment("<P.")}),
                         [](const auto& info) { return info.param.name; });

TEST(Promote, SynsAreNoTrafficHoweverMany) {
  const Tracker tracker(promoting_after(0s, 4));
  for (int i = 0; i < 50; i++) tracker.run(conversation(">S <S."));
  EXPECT_EQ(tracker.live(XF_TABLE_ESTABLISHED), 0u);
}

// ---- the same flow before and after ----

TEST(Promote, CarriesTheFlowOverExactly) {
  const Tracker tracker;
  const auto client = tcp().from("203.0.113.9", 40000);  // the key's high end
  tracker.run(conversation(">S >S <S.", client));
  tracker.run(icmp().icmp_type(3).quoting(client));
  const Entry before = tracker.the_flow();
  std::this_thread::sleep_for(50ms);
  const auto last = segment(">P.", client);
  tracker.run(last);

  const Entry after = tracker.the_flow();
  ASSERT_TRUE(after.has(XF_FLOW_ESTABLISHED));
  EXPECT_EQ(std::memcmp(&after.key, &before.key, sizeof after.key), 0);
  EXPECT_EQ(after.flow.created_ns, before.flow.created_ns);
  EXPECT_GT(after.flow.last_seen_ns, before.flow.last_seen_ns);
  EXPECT_EQ(after.flow.icmp_errors, 1u);
  EXPECT_EQ(after.flow.forward.packets, before.flow.forward.packets + 1);
  EXPECT_EQ(after.flow.forward.bytes, before.flow.forward.bytes + last.l3_bytes());
  EXPECT_EQ(after.flow.reverse.packets, before.flow.reverse.packets);
  EXPECT_EQ(after.flow.reverse.bytes, before.flow.reverse.bytes);
  const unsigned mask = ~(XF_FLOW_ESTABLISHED | XF_FLOW_ORPHAN);
  EXPECT_EQ(after.flow.status.flags & mask, before.flow.status.flags & mask);
  EXPECT_EQ(after.state(), XF_STATE_ESTABLISHED);
}

TEST(Promote, IsNoEndAndLeavesTheBooksBalanced) {
  const Tracker tracker;
  tracker.run(conversation(handshake + ">P. <P. >."));
  EXPECT_TRUE(tracker.records().empty());
  const auto stats = tracker.zone_stats();
  EXPECT_EQ(stats.created, 1u);
  EXPECT_EQ(stats.promoted, 1u);
  EXPECT_EQ(tracker.ended(), 0u);
  EXPECT_EQ(tracker.evicted(XF_TABLE_HALF_OPEN), 0);
  EXPECT_EQ(tracker.evicted(XF_TABLE_ESTABLISHED), 0);
  EXPECT_EQ(tracker.counted(XF_TABLE_ESTABLISHED), 1u);
}

}  // namespace
}  // namespace xdpflowd::test
