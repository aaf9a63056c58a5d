// SPDX-License-Identifier: GPL-2.0-or-later
// Bytes -> packet: what is parsed, what is given back to the stack, and why.
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include "support/tracker.h"

namespace xdpflowd::test {
namespace {

struct ParseCase {
  std::string name;
  Packet packet;
  uint8_t protocol;
  uint16_t source_port;  // host order; the initiator's
  uint8_t fragment = 0;
};

std::ostream& operator<<(std::ostream& out, const ParseCase& c) {
  return out << c.name;
}

constexpr uint8_t hop_by_hop = 0, routing = 43, authentication = 51, destination_options = 60;

std::vector<ParseCase> parse_cases() {
  return {
      {"tcp_over_ipv4", tcp().syn(), 6, 40000},
      {"tcp_with_options", tcp().syn().tcp_options(10), 6, 40000},
      {"tcp_over_ipv6", tcp6().syn(), 6, 40000},
      {"udp_over_ipv4", udp().payload(20), 17, 40000},
      {"udp_over_ipv6", udp6().payload(20), 17, 40000},
      {"icmp_echo_has_its_identifier_as_port", icmp().icmp_id(77), 1, 77},
      {"icmp_timestamp_has_its_identifier_as_port", icmp().icmp_type(13).icmp_id(78).payload(12), 1, 78},
      {"icmp_of_another_type_has_no_port", icmp().icmp_type(9).icmp_id(79), 1, 0},
      {"icmpv6_echo_has_its_identifier_as_port", icmpv6().icmp_id(80), 58, 80},
      {"another_protocol_is_its_number", ip_protocol(47).payload(8), 47, 0},
      {"another_protocol_over_ipv6", ip_protocol(132).from("2001:db8::1").to("2001:db8::2").payload(12), 132,
       0},
      {"ipv4_options", tcp().syn().ipv4_options(10), 6, 40000},
      {"one_vlan_tag", tcp().syn().vlan(10), 6, 40000},
      {"two_vlan_tags", tcp().syn().vlan(10, 0x88a8).vlan(20), 6, 40000},
      {"hop_by_hop_options", tcp6().syn().extension(hop_by_hop), 6, 40000},
      {"destination_options_of_several_words", tcp6().syn().extension(destination_options, 3), 6, 40000},
      {"routing_header", udp6().extension(routing, 2), 17, 40000},
      {"authentication_header", udp6().extension(authentication, 2), 17, 40000},
      {"six_extension_headers",
       udp6()
           .extension(hop_by_hop)
           .extension(destination_options)
           .extension(routing)
           .extension(authentication)
           .extension(destination_options)
           .extension(destination_options),
       17, 40000},
      {"first_fragment_has_ports", udp().payload(64).udp_length(3000).fragment(0, true), 17, 40000},
      {"later_fragment_has_none", udp().payload(64).fragment(1480, true), 17, 0, 1},
      {"last_fragment_has_none", udp().payload(64).fragment(1480, false), 17, 0, 1},
      {"first_ipv6_fragment_has_ports", udp6().payload(64).udp_length(3000).fragment(0, true), 17, 40000},
      {"later_ipv6_fragment_has_none", udp6().payload(64).fragment(1448, false), 17, 0, 1},
      {"padding_is_not_counted", udp().payload(1).padding(17), 17, 40000},
  };
}

class Parsed : public testing::TestWithParam<ParseCase> {};

TEST_P(Parsed, MakesAFlowWithItsKeyAndBytes) {
  const Tracker tracker;
  const auto& c = GetParam();
  EXPECT_EQ(tracker.run(c.packet), XDP_PASS);
  const Entry entry = tracker.the_flow();
  EXPECT_EQ(entry.key.l4_proto, c.protocol);
  EXPECT_EQ(ntohs(entry.has(XF_FLOW_HIGH_STARTED) ? entry.key.high_port : entry.key.low_port), c.source_port);
  EXPECT_EQ(entry.key.fragment, c.fragment);
  EXPECT_EQ(entry.flow.forward.packets, 1u);
  EXPECT_EQ(entry.flow.forward.bytes, c.packet.l3_bytes());
  EXPECT_EQ(tracker.interface_stats().packets[XF_VERDICT_CREATED], 1u);
  EXPECT_EQ(tracker.interface_stats().bytes, c.packet.l3_bytes());
}

/// BPF_PROG_RUN takes no frame below an Ethernet header.
TEST_P(Parsed, CutAtAnyByteIsPassedAndCountedWithoutAFlow) {
  const Tracker tracker;
  const auto& c = GetParam();
  const size_t whole = c.packet.frame().size() - (c.name == "padding_is_not_counted" ? 17 : 0);
  for (size_t length = 14; length < whole; length++) {
    Bytes frame = c.packet.frame();
    frame.resize(length);
    ASSERT_EQ(tracker.run(frame), XDP_PASS) << length;
    const auto stats = tracker.interface_stats();
    ASSERT_EQ(stats.unparsed[XF_UNPARSED_TRUNCATED], length - 13) << "cut at " << length;
  }
  EXPECT_EQ(tracker.zone_stats().created, 0u);
}

INSTANTIATE_TEST_SUITE_P(Frames, Parsed, testing::ValuesIn(parse_cases()),
                         [](const auto& info) { return info.param.name; });

struct UnparsedCase {
  std::string name;
  Bytes frame;
  xf_unparsed reason;
};

std::ostream& operator<<(std::ostream& out, const UnparsedCase& c) {
  return out << c.name;
}

Packet seven_extensions() {
  Packet packet = udp6();
  for (int i = 0; i < 7; i++) packet.extension(destination_options);
  return packet;
}

std::vector<UnparsedCase> unparsed_cases() {
  return {
      {"arp", arp_request(), XF_UNPARSED_ARP},
      {"arp_in_a_vlan", tcp().vlan(5).ethertype(0x0806).frame(), XF_UNPARSED_ARP},
      {"lldp", tcp().ethertype(0x88cc).frame(), XF_UNPARSED_NON_IP},
      {"neighbour_solicitation", icmpv6().icmp_type(135).payload(20).frame(), XF_UNPARSED_ND},
      {"router_advertisement", icmpv6().icmp_type(134).payload(20).frame(), XF_UNPARSED_ND},
      {"mld_report", icmpv6().icmp_type(143).payload(20).extension(hop_by_hop).frame(), XF_UNPARSED_ND},
      {"three_vlan_tags", tcp().vlan(1).vlan(2).vlan(3).frame(), XF_UNPARSED_VLAN_DEPTH},
      {"ipv4_of_version_5", tcp().ip_version(5).frame(), XF_UNPARSED_BAD_IP},
      {"ipv6_of_version_4", udp6().ip_version(4).frame(), XF_UNPARSED_BAD_IP},
      {"ipv4_header_of_four_words", tcp().header_words(4).frame(), XF_UNPARSED_BAD_IP},
      {"ipv4_length_below_its_header", tcp().claimed_length(19).frame(), XF_UNPARSED_BAD_IP},
      {"ipv4_length_beyond_the_frame", tcp().claimed_length(1500).frame(), XF_UNPARSED_TRUNCATED},
      {"ipv6_length_beyond_the_frame", udp6().claimed_length(1500).frame(), XF_UNPARSED_TRUNCATED},
      {"ipv6_length_below_its_extensions", udp6().extension(hop_by_hop, 4).claimed_length(8).frame(),
       XF_UNPARSED_BAD_IP},
      {"ipv6_with_a_mapped_source", udp6().from("::ffff:192.0.2.1", 40000).frame(), XF_UNPARSED_BAD_IP},
      {"ipv6_with_a_mapped_destination", udp6().to("::ffff:192.0.2.1", 53).frame(), XF_UNPARSED_BAD_IP},
      {"more_extension_headers_than_are_followed", seven_extensions().frame(), XF_UNPARSED_EXTENSIONS},
      {"tcp_header_of_four_words", tcp().syn().data_offset(4).frame(), XF_UNPARSED_BAD_L4},
      {"tcp_header_beyond_the_packet", tcp().syn().data_offset(15).frame(), XF_UNPARSED_BAD_L4},
      {"tcp_header_in_the_padding", tcp().syn().claimed_length(39).frame(), XF_UNPARSED_BAD_L4},
      {"tcp_without_flags", tcp().flags(0).frame(), XF_UNPARSED_BAD_L4},
      {"tcp_with_syn_and_fin", tcp().syn().fin().frame(), XF_UNPARSED_BAD_L4},
      {"tcp_with_syn_and_rst", tcp().syn().rst().frame(), XF_UNPARSED_BAD_L4},
      {"udp_length_below_its_header", udp().udp_length(7).frame(), XF_UNPARSED_BAD_L4},
      {"udp_length_beyond_the_packet", udp().udp_length(100).frame(), XF_UNPARSED_BAD_L4},
      {"icmp_below_eight_bytes", icmp().claimed_length(27).frame(), XF_UNPARSED_BAD_L4},
  };
}

class Unparsed : public testing::TestWithParam<UnparsedCase> {};

TEST_P(Unparsed, IsPassedAndCountedByReason) {
  const Tracker tracker;
  const auto& c = GetParam();
  EXPECT_EQ(tracker.run(c.frame), XDP_PASS);
  const auto stats = tracker.interface_stats();
  for (int reason = 0; reason < XF_UNPARSED; reason++)
    EXPECT_EQ(stats.unparsed[reason], reason == c.reason ? 1u : 0u) << "reason " << reason;
  EXPECT_EQ(stats.untracked[XF_UNTRACKED_UNPARSED], 1u);
  EXPECT_EQ(stats.packets[XF_VERDICT_UNTRACKED], 1u);
  EXPECT_EQ(tracker.zone_stats().created, 0u);
}

INSTANTIATE_TEST_SUITE_P(Frames, Unparsed, testing::ValuesIn(unparsed_cases()),
                         [](const auto& info) { return info.param.name; });

TEST(Parse, NeverAltersTheFrame) {
  // Tracking only reads: what the stack gets is what arrived.
  const Tracker tracker;
  const Bytes frame = tcp().syn().payload(100).frame();
  LIBBPF_OPTS(bpf_test_run_opts, opts);
  Bytes out(frame.size());
  opts.data_in = frame.data();
  opts.data_size_in = static_cast<__u32>(frame.size());
  opts.data_out = out.data();
  opts.data_size_out = static_cast<__u32>(out.size());
  ASSERT_EQ(bpf_prog_test_run_opts(tracker.program(), &opts), 0);
  EXPECT_EQ(out, frame);
}

TEST(Parse, FrameInSeveralBuffersIsWhole) {
  // 8960 bytes: the linear part of a frame with fragments holds about 3500 of them.
  const Tracker tracker;
  const auto jumbo = udp().payload(8932);
  EXPECT_EQ(tracker.run(jumbo), XDP_PASS);
  EXPECT_EQ(tracker.the_flow().flow.forward.bytes, 8960u);
}

}  // namespace
}  // namespace xdpflowd::test
