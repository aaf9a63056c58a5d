// SPDX-License-Identifier: GPL-2.0-or-later
// ICMP errors are counted on the flow that they quote; they make none and are no sign of its life.
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <thread>

#include "conversation.h"
#include "support/tracker.h"

namespace xdpflowd::test {
namespace {

using namespace std::chrono_literals;

const std::string router4 = "203.0.113.254", router6 = "2001:db8:ffff::1";

Packet error4(uint8_t type, const Packet& cause) {
  return icmp().icmp_type(type).from(router4).to("192.0.2.1").quoting(cause);
}

Packet error6(uint8_t type, const Packet& cause) {
  return icmpv6().icmp_type(type).from(router6).to("2001:db8::1").quoting(cause);
}

struct ErrorCase {
  std::string name;
  std::vector<Packet> flow;
  Packet error;
  size_t needed;  // bytes of the quote: up to the ports or the identifier
};

std::ostream& operator<<(std::ostream& out, const ErrorCase& c) {
  return out << c.name;
}

std::vector<ErrorCase> errors_of_ipv4() {
  const auto connection = conversation(handshake);
  const auto later = udp().payload(64).fragment(1480, true);
  return {
      {"unreachable_about_udp", {udp()}, error4(3, udp()), 24},
      {"source_quench", {udp()}, error4(4, udp()), 24},
      {"redirect", {udp()}, error4(5, udp()), 24},
      {"time_exceeded", {udp()}, error4(11, udp()), 24},
      {"parameter_problem", {udp()}, error4(12, udp()), 24},
      {"about_the_reply", {udp()}, error4(3, udp().reversed()), 24},
      {"about_a_replied_flow", {udp(), udp().reversed(), udp()}, error4(3, udp()), 24},
      {"about_a_syn", conversation(">S"), error4(3, segment(">S")), 24},
      {"about_an_established_connection", connection, error4(3, segment(">P.")), 24},
      {"about_the_servers_segment", connection, error4(3, segment("<P.")), 24},
      {"about_ping", {icmp()}, error4(11, icmp()), 28},
      {"about_another_protocol", {ip_protocol(47).payload(20)}, error4(3, ip_protocol(47).payload(20)), 20},
      {"about_a_later_fragment", {later}, error4(11, later), 20},
      {"about_a_first_fragment",
       {udp()},
       error4(11, udp().payload(64).udp_length(3000).fragment(0, true)),
       24},
      {"quoting_options", {udp()}, error4(3, udp().ipv4_options(5)), 44},
      {"quoting_the_whole_packet",
       {udp()},
       error4(3, udp().payload(400)).quoting(udp().payload(400), 500),
       24},
      {"quoting_the_ports_and_no_more", {udp()}, error4(3, udp()).quoting(udp(), 4), 24},
      {"in_a_vlan", {udp()}, error4(3, udp()).vlan(7), 24},
  };
}

std::vector<ErrorCase> errors_of_ipv6() {
  const auto later = udp6().payload(64).fragment(1448, true);
  return {
      {"unreachable_about_udp_v6", {udp6()}, error6(1, udp6()), 44},
      {"too_big", conversation(handshake, tcp6()), error6(2, segment(">P.", tcp6())), 44},
      {"time_exceeded_v6", {udp6()}, error6(3, udp6()), 44},
      {"parameter_problem_v6", {udp6()}, error6(4, udp6()), 44},
      {"about_the_reply_v6", {udp6()}, error6(1, udp6().reversed()), 44},
      {"about_a_syn_v6", conversation(">S", tcp6()), error6(1, segment(">S", tcp6())), 44},
      {"about_ping_v6", {icmpv6()}, error6(3, icmpv6()), 48},
      {"about_a_later_fragment_v6", {later}, error6(3, later), 48},
      {"quoting_extension_headers", {udp6()}, error6(1, udp6().extension(0).extension(60, 2)), 76},
      {"behind_an_extension_header", {udp6()}, error6(1, udp6()).extension(60), 44},
  };
}

class IcmpError : public testing::TestWithParam<ErrorCase> {};

TEST_P(IcmpError, IsCountedOnItsFlowAndChangesNothingElseOfIt) {
  const Tracker tracker;
  const auto& c = GetParam();
  tracker.run(c.flow);
  const Entry before = tracker.the_flow();
  const auto stats_before = tracker.interface_stats();
  std::this_thread::sleep_for(25ms);  // the coarse clock moves
  EXPECT_EQ(tracker.run(c.error), XDP_PASS);

  const Entry after = tracker.the_flow();
  EXPECT_EQ(after.flow.icmp_errors, 1u);
  EXPECT_EQ(after.flow.last_seen_ns, before.flow.last_seen_ns);
  EXPECT_EQ(after.flow.status.word, before.flow.status.word);
  EXPECT_EQ(after.flow.forward.packets, before.flow.forward.packets);
  EXPECT_EQ(after.flow.reverse.packets, before.flow.reverse.packets);
  EXPECT_EQ(tracker.zone_stats().created, 1u);
  const auto stats = tracker.interface_stats();
  EXPECT_EQ(stats.packets[XF_VERDICT_TRACKED], stats_before.packets[XF_VERDICT_TRACKED] + 1);
  EXPECT_EQ(stats.bytes, stats_before.bytes + c.error.l3_bytes());
}

TEST_P(IcmpError, WithACutQuotePassesUnparsed) {
  const Tracker tracker;
  const auto& c = GetParam();
  tracker.run(c.flow);
  for (size_t bytes = 0; bytes < c.needed; bytes++) tracker.run(Packet(c.error).cut_quote(bytes));
  EXPECT_EQ(tracker.the_flow().flow.icmp_errors, 0u);
  EXPECT_EQ(tracker.interface_stats().unparsed[XF_UNPARSED_TRUNCATED], c.needed);
  tracker.run(Packet(c.error).cut_quote(c.needed));
  EXPECT_EQ(tracker.the_flow().flow.icmp_errors, 1u);
}

const auto case_name = [](const auto& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(Ipv4, IcmpError, testing::ValuesIn(errors_of_ipv4()), case_name);
INSTANTIATE_TEST_SUITE_P(Ipv6, IcmpError, testing::ValuesIn(errors_of_ipv6()), case_name);

TEST(IcmpError, AboutNoKnownFlowPassesUntrackedAndMakesNone) {
  const Tracker tracker;
  uint64_t count = 0, bytes = 0;
  for (const auto& cases : {errors_of_ipv4(), errors_of_ipv6()}) {
    for (const auto& c : cases) {
      EXPECT_EQ(tracker.run(c.error), XDP_PASS);
      EXPECT_EQ(tracker.interface_stats().untracked[XF_UNTRACKED_UNKNOWN_ERROR], ++count) << c.name;
      EXPECT_EQ(tracker.interface_stats().bytes, bytes += c.error.l3_bytes()) << c.name;
    }
  }
  EXPECT_EQ(tracker.zone_stats().created, 0u);
  EXPECT_EQ(tracker.counted(XF_TABLE_HALF_OPEN), 0u);
}

TEST(IcmpError, AboutAFlowThatShouldHaveEndedIsUnknown) {
  const Tracker tracker;
  tracker.run(udp());
  tracker.set_timeouts(with_timeout(XF_TIMEOUT_UDP, 1ms));
  std::this_thread::sleep_for(50ms);
  tracker.run(error4(3, udp()));
  EXPECT_EQ(tracker.interface_stats().untracked[XF_UNTRACKED_UNKNOWN_ERROR], 1u);
}

TEST(IcmpError, AboutAnErrorIsUnknown) {
  const Tracker tracker;
  tracker.run(udp());
  tracker.run(error4(3, error4(11, udp())));
  EXPECT_EQ(tracker.interface_stats().untracked[XF_UNTRACKED_UNKNOWN_ERROR], 1u);
  EXPECT_EQ(tracker.the_flow().flow.icmp_errors, 0u);
}

TEST(IcmpError, IsNoSignOfLife) {
  const Tracker tracker({.timeouts = with_timeout(XF_TIMEOUT_UDP, 150ms)});
  tracker.run(udp());
  for (int i = 0; i < 100 && tracker.ended() == 0; i++) {
    tracker.run(error4(3, udp()));
    std::this_thread::sleep_for(20ms);
  }
  const auto records = tracker.records();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_GE(records[0].icmp_errors, 1u);
  EXPECT_EQ(records[0].last_seen_ns, records[0].created_ns);
}

}  // namespace
}  // namespace xdpflowd::test
