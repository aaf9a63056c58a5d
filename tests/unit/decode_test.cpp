// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/decode.h"

#include "unit/flows.h"

namespace xdpflowd {
namespace {

using test::address;
using test::key_of;
using test::second_ns;
using test::status_of;

struct Decode : testing::Test {
  Decode() {
    key.zone = 3;
    context.now_ns = 100 * second_ns;
    context.zone_names[3] = "tenant-a";
    context.timeouts_ns[XF_TIMEOUT_UDP] = 30 * second_ns;
    flow.status = status_of(XF_STATE_UNREPLIED, XF_TIMEOUT_UDP, 0);
    flow.created_ns = 90 * second_ns;
    flow.last_seen_ns = 95 * second_ns;
  }

  Flow decoded() const { return decode(key, flow, context); }

  xf_flow_key key = key_of(IPPROTO_UDP, "192.0.2.1", 5353, "198.51.100.7", 53);
  xf_flow flow{};
  DecodeContext context;
};

std::string text_of(const xf_addr& address) {
  std::string text;
  append_address(text, address);
  return text;
}

TEST_F(Decode, TheLowEndIsTheSourceUnlessTheHighOneStarted) {
  const Flow seen = decoded();
  EXPECT_EQ(text_of(seen.source), "192.0.2.1");
  EXPECT_EQ(seen.source_port, 5353);
  EXPECT_EQ(text_of(seen.destination), "198.51.100.7");
  EXPECT_EQ(seen.destination_port, 53);
}

TEST_F(Decode, TheHighEndIsTheSourceIfItStarted) {
  flow.status.flags = XF_FLOW_HIGH_STARTED;
  const Flow seen = decoded();
  EXPECT_EQ(text_of(seen.source), "198.51.100.7");
  EXPECT_EQ(seen.source_port, 53);
  EXPECT_EQ(text_of(seen.destination), "192.0.2.1");
  EXPECT_EQ(seen.destination_port, 5353);
}

TEST_F(Decode, CountersBelongToTheInitiatorWhicheverEndThatIs) {
  flow.forward = {1, 100};
  flow.reverse = {2, 200};
  flow.icmp_errors = 3;
  flow.status.flags = XF_FLOW_HIGH_STARTED;
  EXPECT_EQ(decoded().forward.packets, 1u);
  EXPECT_EQ(decoded().reverse.bytes, 200u);
  EXPECT_EQ(decoded().icmp_errors, 3u);
}

TEST_F(Decode, TheZoneHasTheNameOfItsIndex) {
  EXPECT_EQ(decoded().zone, "tenant-a");
}

TEST_F(Decode, AZoneBeyondTheArrayIsUnknown) {
  key.zone = 200;
  EXPECT_EQ(decoded().zone, "unknown");
}

TEST_F(Decode, DirectionIsBothOnceTheResponderWasSeen) {
  EXPECT_EQ(decoded().direction_name(), "one-way");
  flow.status.flags = XF_FLOW_REPLIED;
  EXPECT_EQ(decoded().direction_name(), "both");
}

TEST_F(Decode, AnOrphanIsSwept) {
  EXPECT_EQ(decoded().timer_name(), "exact");
  flow.status.flags = XF_FLOW_ORPHAN;
  EXPECT_EQ(decoded().timer_name(), "swept");
}

TEST_F(Decode, TheTableIsInTheFlags) {
  EXPECT_EQ(decoded().table_name(), "half_open");
  flow.status.flags = XF_FLOW_ESTABLISHED;
  EXPECT_EQ(decoded().table_name(), "established");
}

TEST_F(Decode, TheStateHasTheNameOfNfConntrack) {
  flow.status.state = XF_STATE_CLOSE_WAIT;
  EXPECT_EQ(decoded().state_name(), "CLOSE_WAIT");
}

TEST_F(Decode, AStateBeyondTheEnumIsUnknown) {
  flow.status.state = 250;
  EXPECT_EQ(decoded().state_name(), "unknown");
}

TEST_F(Decode, AgeAndIdleCountFromCreationAndLastPacket) {
  EXPECT_EQ(decoded().age_ns, 10 * static_cast<int64_t>(second_ns));
  EXPECT_EQ(decoded().idle_ns, 5 * static_cast<int64_t>(second_ns));
}

TEST_F(Decode, StampsAheadOfTheReadersClockAreNotNegativeAges) {
  flow.created_ns = flow.last_seen_ns = context.now_ns + 1000;
  EXPECT_EQ(decoded().age_ns, 0);
  EXPECT_EQ(decoded().idle_ns, 0);
}

TEST_F(Decode, ExpiresATimeoutAfterTheLastPacketAndWhatTheClockWasBehind) {
  context.coarse_lag_ns = 4'000'000;
  EXPECT_EQ(decoded().expires_in_ns, 25 * static_cast<int64_t>(second_ns) + 4'000'000);
}

TEST_F(Decode, AnOverdueFlowExpiresNow) {
  flow.last_seen_ns = 1 * second_ns;
  EXPECT_EQ(decoded().expires_in_ns, 0);
}

TEST_F(Decode, TheSlotOfTheEstablishedRowHasItsOwnTimeout) {
  flow.status.timeout = XF_TIMEOUTS + XF_TIMEOUT_UDP;
  context.timeouts_ns[XF_TIMEOUTS + XF_TIMEOUT_UDP] = 6 * second_ns;
  EXPECT_EQ(decoded().expires_in_ns, 1 * static_cast<int64_t>(second_ns));
}

TEST_F(Decode, ATimeoutSlotBeyondTheMapExpiresNow) {
  flow.status.timeout = 255;
  EXPECT_EQ(decoded().expires_in_ns, 0);
}

TEST(IsLive, OnlyInPhaseLiveWhateverTheKeysTag) {
  const std::pair<uint32_t, bool> phases[] = {{XF_PHASE_LIVE, true},
                                              {0xabcd00 | XF_PHASE_LIVE, true},
                                              {0xabcd00 | XF_PHASE_ENDED, false},
                                              {XF_PHASE_REAPING, false},
                                              {0, false}};
  for (const auto& [phase, live] : phases) {
    xf_flow flow{};
    flow.phase = phase;
    EXPECT_EQ(is_live(flow), live) << phase;
  }
}

TEST(Address, IPv4IsDottedAndIPv6Compressed) {
  for (const std::string text : {"0.0.0.0", "10.200.30.4", "255.255.255.255", "::", "::1", "2001:db8::1",
                                 "fe80::1:0:0:2", "2001:db8:1111:2222:3333:4444:5555:6666"})
    EXPECT_EQ(text_of(address(text)), text);
}

}  // namespace
}  // namespace xdpflowd
