// SPDX-License-Identifier: GPL-2.0-or-later
// The bytes of each kind of probe, field by field.
#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstring>

#include "probe_replies.h"
#include "support/probe_bench.h"

namespace xdpflowd::test {
namespace {

const Bytes own_mac = {2, 0, 0, 0, 0, 1}, peer_mac = {2, 0, 0, 0, 0, 2};

class ProbeFrame : public ::testing::Test {
 protected:
  Bytes frame_of(
      xf_probe probe, const std::string& address,
      const std::function<void(xf_target_config&)>& change = [](xf_target_config&) {}) {
    const auto frame = bench.build(bench.add(probe, address, change));
    EXPECT_EQ(frame.outcome, 0);
    return ProbeBench::bytes(frame);
  }

  static Bytes part(const Bytes& frame, size_t from, size_t size) {
    return {frame.begin() + static_cast<ptrdiff_t>(from),
            frame.begin() + static_cast<ptrdiff_t>(from + size)};
  }

  static void expect_ipv4(const Bytes& frame, uint8_t protocol, size_t l4_size) {
    EXPECT_EQ(part(frame, 0, 6), peer_mac);
    EXPECT_EQ(part(frame, 6, 6), own_mac);
    EXPECT_EQ(read16(frame, 12), 0x0800);
    EXPECT_EQ(frame.at(l3), 0x45);
    EXPECT_EQ(read16(frame, l3 + 2), 20 + l4_size);
    EXPECT_EQ(read16(frame, l3 + 6), 0x4000) << "don't fragment, no offset";
    EXPECT_EQ(frame.at(l3 + 8), 64) << "TTL";
    EXPECT_EQ(frame.at(l3 + 9), protocol);
    EXPECT_EQ(ones_sum(frame, l3, l3 + 20), 0xffff) << "checksum of the IP header";
    EXPECT_EQ(part(frame, l3 + 12, 8), (Bytes{192, 0, 2, 1, 192, 0, 2, 2}));
    EXPECT_EQ(frame.size(), l3 + 20 + l4_size);
    EXPECT_EQ(transport_sum(frame, protocol), 0xffff);
  }

  static void expect_ipv6(const Bytes& frame, uint8_t protocol, size_t l4_size) {
    EXPECT_EQ(part(frame, 0, 6), peer_mac);
    EXPECT_EQ(part(frame, 6, 6), own_mac);
    EXPECT_EQ(read16(frame, 12), 0x86dd);
    EXPECT_EQ(read32(frame, l3), 0x60000000U);
    EXPECT_EQ(read16(frame, l3 + 4), l4_size);
    EXPECT_EQ(frame.at(l3 + 6), protocol);
    EXPECT_EQ(frame.at(l3 + 7), 64) << "hop limit";
    EXPECT_EQ(frame.at(l3 + 8 + 15), 1) << "source ends in ::1";
    EXPECT_EQ(frame.at(l3 + 24 + 15), 2) << "destination ends in ::2";
    EXPECT_EQ(frame.size(), l3 + 40 + l4_size);
    EXPECT_EQ(transport_sum(frame, protocol), 0xffff);
  }

  ProbeBench bench;
};

TEST_F(ProbeFrame, PingOverIpv4) {
  const Bytes frame = frame_of(XF_PROBE_ICMP, ProbeBench::peer4);
  expect_ipv4(frame, 1, 24);
  EXPECT_EQ(read16(frame, 34), 0x0800) << "echo request";
  EXPECT_LT(read16(frame, 38) - ProbeBench::own_port, XF_OWN_PORTS) << "identifier";
  EXPECT_EQ(read16(frame, 40), 1) << "sequence";
}

TEST_F(ProbeFrame, PingOverIpv6) {
  const Bytes frame = frame_of(XF_PROBE_ICMP, ProbeBench::peer6);
  expect_ipv6(frame, 58, 24);
  EXPECT_EQ(read16(frame, 54), 0x8000) << "echo request";
}

TEST_F(ProbeFrame, Syn) {
  for (const auto* peer : {ProbeBench::peer4, ProbeBench::peer6}) {
    const Bytes frame = frame_of(XF_PROBE_TCP, peer);
    const size_t l4 = l4_of(frame);
    peer == ProbeBench::peer4 ? expect_ipv4(frame, 6, 20) : expect_ipv6(frame, 6, 20);
    EXPECT_LT(read16(frame, l4) - ProbeBench::own_port, XF_OWN_PORTS);
    EXPECT_EQ(read16(frame, l4 + 2), 80);
    EXPECT_EQ(read32(frame, l4 + 8), 0U) << "acknowledges nothing";
    EXPECT_EQ(read16(frame, l4 + 12), 0x5002) << "20 bytes, SYN alone";
    EXPECT_GT(read16(frame, l4 + 14), 0) << "window";
  }
}

TEST_F(ProbeFrame, DatagramsOfAnyLengthWithTheirPayload) {
  for (const auto* peer : {ProbeBench::peer4, ProbeBench::peer6})
    for (const size_t size : {0U, 1U, 2U, 3U, 4U, 17U, 511U, 512U}) {
      const Bytes frame = frame_of(XF_PROBE_UDP, peer, [&](xf_target_config& config) {
        config.payload_length = static_cast<__u16>(size);
        for (size_t i = 0; i < size; ++i) config.payload[i] = static_cast<__u8>(i + 1);
      });
      const size_t l4 = l4_of(frame);
      peer == ProbeBench::peer4 ? expect_ipv4(frame, 17, 8 + size) : expect_ipv6(frame, 17, 8 + size);
      EXPECT_EQ(read16(frame, l4 + 2), 80);
      EXPECT_EQ(read16(frame, l4 + 4), 8 + size);
      EXPECT_NE(read16(frame, l4 + 6), 0);
      for (size_t i = 0; i < size; ++i) ASSERT_EQ(frame.at(l4 + 8 + i), static_cast<uint8_t>(i + 1));
    }
}

TEST_F(ProbeFrame, ArpRequest) {
  const Bytes frame = frame_of(XF_PROBE_ARP, ProbeBench::mute4);
  EXPECT_EQ(part(frame, 0, 6), Bytes(6, 0xff));
  EXPECT_EQ(part(frame, 6, 6), own_mac);
  EXPECT_EQ(part(frame, 12, 10), (Bytes{8, 6, 0, 1, 8, 0, 6, 4, 0, 1}));
  EXPECT_EQ(part(frame, 22, 6), own_mac);
  EXPECT_EQ(part(frame, 28, 4), (Bytes{192, 0, 2, 1}));
  EXPECT_EQ(part(frame, 32, 6), Bytes(6, 0));
  EXPECT_EQ(part(frame, 38, 4), (Bytes{192, 0, 2, 3}));
  EXPECT_EQ(frame.size(), 60U);
}

TEST_F(ProbeFrame, NeighbourSolicitation) {
  const Bytes frame = frame_of(XF_PROBE_ARP, "2001:db8::abcd:1234");
  EXPECT_EQ(part(frame, 0, 6), (Bytes{0x33, 0x33, 0xff, 0xcd, 0x12, 0x34}));
  EXPECT_EQ(frame.at(l3 + 7), 255) << "hop limit";
  EXPECT_EQ(part(frame, l3 + 24, 16), (Bytes{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xcd, 0x12, 0x34}));
  EXPECT_EQ(frame.at(54), 135);
  EXPECT_EQ(read32(frame, 58), 0U) << "reserved";
  EXPECT_EQ(part(frame, 74, 4), (Bytes{0xab, 0xcd, 0x12, 0x34}));
  EXPECT_EQ(part(frame, 78, 8), (Bytes{1, 1, 2, 0, 0, 0, 0, 1})) << "source link-layer address";
  EXPECT_EQ(transport_sum(frame, 58), 0xffff);
}

TEST_F(ProbeFrame, NoTwoProbesOfATargetLookAlike) {
  const auto index = bench.add(XF_PROBE_TCP, ProbeBench::peer4);
  const Bytes first = ProbeBench::bytes(bench.send(index)), second = ProbeBench::bytes(bench.send(index));
  EXPECT_NE(read16(first, 34), read16(second, 34)) << "port";
  EXPECT_NE(read32(first, 38), read32(second, 38)) << "sequence number";
}

TEST_F(ProbeFrame, GoesToTheGatewayOfATargetBeyondOne) {
  const auto frame = bench.build(bench.add(XF_PROBE_ICMP, ProbeBench::far4));
  EXPECT_EQ(frame.outcome, 0);
  EXPECT_EQ(part(ProbeBench::bytes(frame), 0, 6), peer_mac);
  EXPECT_EQ(frame.next_hop.word[3], htonl(0xc0000202));
}

TEST_F(ProbeFrame, NeedsARouteAnAddressAndASource) {
  EXPECT_EQ(bench.build(bench.add(XF_PROBE_ICMP, ProbeBench::mute4)).outcome, XF_CAUSE_RESOLVING);
  EXPECT_EQ(bench.build(bench.add(XF_PROBE_ICMP, "203.0.113.1")).outcome, XF_CAUSE_NO_ROUTE);
  EXPECT_EQ(bench.build(bench.add(XF_PROBE_ICMP, "10.99.0.1")).outcome, XF_CAUSE_NO_ROUTE);
  EXPECT_EQ(bench.build(bench.add(XF_PROBE_ICMP, ProbeBench::own4)).outcome, XF_CAUSE_NO_ROUTE);
  EXPECT_EQ(bench
                .build(bench.add(XF_PROBE_ICMP, ProbeBench::peer4,
                                 [](xf_target_config& config) { config.source = {}; }))
                .outcome,
            XF_CAUSE_NO_SOURCE);
}

TEST_F(ProbeFrame, IsBuiltOnceForEachTimeThatItIsDue) {
  const auto index = bench.add(XF_PROBE_ICMP, ProbeBench::peer4);
  const auto first = bench.build(index);
  EXPECT_EQ(first.sequence, 1U);
  bench.arm(first);
  const auto second = bench.build(index);
  EXPECT_EQ(second.sequence, 2U);
}

}  // namespace
}  // namespace xdpflowd::test
