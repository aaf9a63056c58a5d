// SPDX-License-Identifier: GPL-2.0-or-later
// Packet -> flow: what belongs together, what does not, and the verdict on each.
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <numeric>

#include "conversation.h"
#include "support/tracker.h"

namespace xdpflowd::test {
namespace {

struct PairCase {
  std::string name;
  Packet packet;
  bool high_started;
};

std::ostream& operator<<(std::ostream& out, const PairCase& c) {
  return out << c.name;
}

Packet udp_of(const std::string& from, uint16_t sport, const std::string& to, uint16_t dport) {
  return udp().from(from, sport).to(to, dport);
}

std::vector<PairCase> pair_cases() {
  return {
      {"ipv4_from_the_lower_address", udp_of("192.0.2.1", 9000, "198.51.100.1", 53), false},
      {"ipv4_from_the_higher_address", udp_of("198.51.100.1", 53, "192.0.2.1", 9000), true},
      {"ipv6_from_the_lower_address", udp_of("2001:db8::1", 9000, "2001:db8::2", 53), false},
      {"ipv6_from_the_higher_address", udp_of("2001:db8::2", 9000, "2001:db8::1", 53), true},
      {"ipv6_differing_in_the_first_half", udp_of("2001:db8:1::1", 1, "2001:db8::ffff", 2), true},
      {"equal_addresses_from_the_lower_port", udp_of("127.0.0.1", 53, "127.0.0.1", 9000), false},
      {"equal_addresses_from_the_higher_port", udp_of("127.0.0.1", 9000, "127.0.0.1", 53), true},
      {"tcp", tcp().from("203.0.113.9", 40000).to("198.51.100.1", 443).ack().payload(10), true},
      {"icmp_echo", icmp().from("203.0.113.9").to("198.51.100.1"), true},
      {"another_protocol", ip_protocol(47).from("203.0.113.9").to("198.51.100.1").payload(5), true},
  };
}

class BothDirections : public testing::TestWithParam<PairCase> {};

TEST_P(BothDirections, AreOneEntryThatKnowsItsSourceAndCountsEachWay) {
  const Tracker tracker;
  const auto& there = GetParam().packet;
  const auto back = Packet(there.reversed()).payload(77);
  tracker.run({there, back, there});
  const Entry entry = tracker.the_flow();
  EXPECT_EQ(entry.has(XF_FLOW_HIGH_STARTED), GetParam().high_started);
  EXPECT_TRUE(entry.has(XF_FLOW_REPLIED));
  EXPECT_EQ(entry.flow.forward.packets, 2u);
  EXPECT_EQ(entry.flow.forward.bytes, 2 * there.l3_bytes());
  EXPECT_EQ(entry.flow.reverse.packets, 1u);
  EXPECT_EQ(entry.flow.reverse.bytes, back.l3_bytes());
  EXPECT_EQ(tracker.zone_stats().created, 1u);
}

TEST_P(BothDirections, ThatAreNotBothSeenAreAOneWayFlow) {
  const Tracker tracker;
  for (int i = 0; i < 5; i++) tracker.run(GetParam().packet);
  const Entry entry = tracker.the_flow();
  EXPECT_FALSE(entry.has(XF_FLOW_REPLIED));
  EXPECT_EQ(entry.flow.forward.packets, 5u);
  EXPECT_EQ(entry.flow.reverse.packets, 0u);
}

INSTANTIATE_TEST_SUITE_P(Track, BothDirections, testing::ValuesIn(pair_cases()),
                         [](const auto& info) { return info.param.name; });

TEST(Track, PacketToItselfIsOneFlowWithoutADirection) {
  const Tracker tracker;
  const auto packet = udp_of("127.0.0.1", 7, "127.0.0.1", 7);
  tracker.run({packet, packet.reversed()});
  EXPECT_EQ(tracker.the_flow().flow.forward.packets, 2u);
}

TEST(Track, KeepsIpv4InMappedForm) {
  const Tracker tracker;
  tracker.run(udp_of("192.0.2.1", 9000, "198.51.100.1", 53));
  const auto key = tracker.the_flow().key;
  EXPECT_EQ(ntohl(key.low.word[2]), 0xffffu);
  EXPECT_EQ(ntohl(key.low.word[3]), 0xc0000201u);
  EXPECT_EQ(ntohl(key.high.word[3]), 0xc6336401u);
  EXPECT_EQ(ntohs(key.low_port), 9000);
  EXPECT_EQ(ntohs(key.high_port), 53);
}

TEST(Track, KeepsApartWhatDiffersInAnyPartOfTheKey) {
  const Tracker tracker;
  const std::vector<Packet> packets = {
      udp_of("192.0.2.1", 1, "192.0.2.2", 2),
      udp_of("192.0.2.3", 1, "192.0.2.2", 2),
      udp_of("192.0.2.1", 1, "192.0.2.3", 2),
      udp_of("192.0.2.1", 3, "192.0.2.2", 2),
      udp_of("192.0.2.1", 1, "192.0.2.2", 3),
      udp_of("192.0.2.1", 2, "192.0.2.2", 1),
      udp_of("::192.0.2.1", 1, "::192.0.2.2", 2),
      tcp().from("192.0.2.1", 1).to("192.0.2.2", 2).syn(),
      udp_of("192.0.2.1", 1, "192.0.2.2", 2).payload(8).fragment(8, false),
  };
  tracker.run(packets);
  EXPECT_EQ(tracker.zone_stats().created, packets.size());
  EXPECT_EQ(tracker.live(XF_TABLE_HALF_OPEN), packets.size());
}

// ---- zones ----

Tracker tracker_of_trunk(uint8_t untagged) {
  Tracker tracker({.zones = 3});
  tracker.add_rule(0, untagged, true);
  tracker.add_rule(10, 1, false);
  tracker.add_rule(20, 2, false);
  return tracker;
}

TEST(Track, SameAddressesInTwoVlansAreTwoFlowsInTwoZones) {
  const Tracker tracker = tracker_of_trunk(0);
  tracker.run({udp().vlan(10), udp().vlan(20), udp()});
  for (uint8_t zone = 0; zone < 3; zone++) {
    EXPECT_EQ(tracker.the_flow(zone).key.zone, zone);
    EXPECT_EQ(tracker.the_flow(zone).flow.forward.packets, 1u);
    EXPECT_EQ(tracker.zone_stats(zone).created, 1u);
  }
}

TEST(Track, VlanWithoutARuleOfItsOwnGoesToTheZoneOfItsInterface) {
  const Tracker tracker = tracker_of_trunk(0);
  tracker.run({udp(), udp().vlan(30), udp().vlan(0)});
  EXPECT_EQ(tracker.the_flow(0).flow.forward.packets, 3u);
}

TEST(Track, OuterTagDecidesAboutTheZone) {
  const Tracker tracker = tracker_of_trunk(0);
  tracker.run(udp().vlan(20, 0x88a8).vlan(10));
  EXPECT_EQ(tracker.the_flow(2).flow.forward.packets, 1u);
}

TEST(Track, PriorityBitsOfATagAreNotItsVlan) {
  const Tracker tracker = tracker_of_trunk(0);
  tracker.run(udp().vlan(0xe00a));
  EXPECT_EQ(tracker.the_flow(1).flow.forward.packets, 1u);
}

TEST(Track, FrameWithoutAZonePassesUntracked) {
  const Tracker tracker = tracker_of_trunk(XF_NO_ZONE);
  EXPECT_EQ(tracker.run(udp()), XDP_PASS);
  EXPECT_EQ(tracker.run(udp().vlan(30)), XDP_PASS);
  EXPECT_EQ(tracker.run(udp().vlan(10)), XDP_PASS);
  EXPECT_EQ(tracker.interface_stats().untracked[XF_UNTRACKED_NO_ZONE], 2u);
  EXPECT_EQ(tracker.interface_stats().packets[XF_VERDICT_CREATED], 1u);
  EXPECT_EQ(tracker.zone_stats(1).created, 1u);
}

TEST(Track, InterfaceOfAStrangerIsAnErrorAndNothingElse) {
  const Tracker tracker;
  tracker.drop_rules();
  EXPECT_EQ(tracker.run(udp()), XDP_PASS);
  EXPECT_EQ(tracker.global_stats().errors[XF_ERROR_NO_INTERFACE], 1u);
  EXPECT_EQ(tracker.zone_stats().created, 0u);
  EXPECT_EQ(tracker.interface_stats().bytes, 0u);
}

TEST(Track, GenerationThatIsNotActivePassesUntracked) {
  const Tracker tracker;
  tracker.set_control([](xf_control& control) { control.generation = 2; });
  EXPECT_EQ(tracker.run(udp()), XDP_PASS);
  EXPECT_EQ(tracker.interface_stats().untracked[XF_UNTRACKED_INACTIVE], 1u);
  EXPECT_EQ(tracker.zone_stats().created, 0u);
}

TEST(Track, EveryFrameHasOneVerdict) {
  const Tracker tracker;
  const auto unknown = icmp().icmp_type(3).quoting(udp().to("203.0.113.77", 1));
  const std::vector<Packet> packets = {udp(), udp(), udp().reversed(), tcp().syn(), tcp().flags(0), unknown};
  tracker.run(packets);
  tracker.run(arp_request());
  const auto stats = tracker.interface_stats();
  EXPECT_EQ(stats.packets[XF_VERDICT_CREATED], 2u);
  EXPECT_EQ(stats.packets[XF_VERDICT_TRACKED], 2u);
  EXPECT_EQ(stats.packets[XF_VERDICT_UNTRACKED], 3u);
  EXPECT_EQ(std::accumulate(std::begin(stats.untracked), std::end(stats.untracked), 0u), 3u);
  EXPECT_EQ(stats.untracked[XF_UNTRACKED_UNPARSED], 2u);
  EXPECT_EQ(std::accumulate(std::begin(stats.unparsed), std::end(stats.unparsed), 0u), 2u);
  size_t bytes = arp_request().size();
  for (const auto& packet : packets) bytes += packet.l3_bytes();
  EXPECT_EQ(stats.bytes, bytes);
}

// ---- fragments ----

TEST(Track, LaterFragmentsOfBothDirectionsShareOnePortlessFlow) {
  const Tracker tracker;
  const auto first = udp().payload(64).udp_length(3000).fragment(0, true);
  const auto later = udp().payload(64).fragment(1480, true), last = udp().payload(9).fragment(2960, false);
  tracker.run({first, later, last, later.reversed()});
  EXPECT_EQ(tracker.zone_stats().created, 2u);
  for (const auto& entry : tracker.entries(XF_TABLE_HALF_OPEN)) {
    EXPECT_EQ(entry.flow.forward.packets, entry.key.fragment ? 2u : 1u);
    EXPECT_EQ(entry.flow.reverse.packets, entry.key.fragment ? 1u : 0u);
    EXPECT_EQ(entry.flow.status.timeout, entry.key.fragment ? XF_TIMEOUT_GENERIC : XF_TIMEOUT_UDP);
  }
}

TEST(Track, PortlessFlowIsNeverPromoted) {
  const Tracker tracker(
      {.promote_packets = 1, .knobs = [](xdpflow_bpf* s) { s->rodata->promote_span_ns = 0; }});
  for (const auto& packet : {udp(), tcp()}) {
    const auto later = Packet(packet).payload(64).fragment(1480, true);
    for (int i = 0; i < 3; i++) tracker.run({later, later.reversed()});
  }
  EXPECT_EQ(tracker.live(XF_TABLE_HALF_OPEN), 2u);
  EXPECT_EQ(tracker.zone_stats().promoted, 0u);
}

}  // namespace
}  // namespace xdpflowd::test
