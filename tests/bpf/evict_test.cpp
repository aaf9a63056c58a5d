// SPDX-License-Identifier: GPL-2.0-or-later
// More flows than the tables hold: who is evicted, and that the books still balance.
#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "conversation.h"
#include "flood.h"
#include "support/tracker.h"

namespace xdpflowd::test {
namespace {

using namespace std::chrono_literals;

constexpr uint32_t flood_size = 300'000;
constexpr uint32_t sessions = 100;

std::vector<Packet> sessions_of_handshakes() {
  std::vector<Packet> packets;
  for (uint16_t i = 0; i < sessions; i++) {
    for (const auto& packet : conversation(handshake, tcp().from("203.0.113.7", 10'000 + i)))
      packets.push_back(packet);
  }
  return packets;
}

TrackerOptions tables_of(uint32_t established, uint32_t half_open) {
  TrackerOptions options;
  options.max_flows = established;
  options.max_half_open = half_open;
  return options;
}

/// Each packet of the flood, and `answer` to it if there is one.
void flood(const Tracker& tracker, const Packet& packet, const Packet* answer, uint32_t count) {
  Template attack(packet, Template::Side::source);
  std::optional<Template> reply;
  if (answer) reply.emplace(*answer, Template::Side::destination);
  for (uint32_t i = 0; i < count; i++) {
    tracker.run(attack.numbered(i));
    if (reply) tracker.run(reply->numbered(i));
  }
}

/// None of the sessions is lost, and nothing else is in their table.
void expect_sessions(const Tracker& tracker) {
  const auto established = tracker.entries(XF_TABLE_ESTABLISHED);
  EXPECT_EQ(established.size(), sessions);
  std::set<uint16_t> ports;
  for (const auto& entry : established) {
    const bool high = entry.has(XF_FLOW_HIGH_STARTED);
    ports.insert(ntohs(high ? entry.key.high_port : entry.key.low_port));
  }
  EXPECT_EQ(ports.size(), sessions);
  EXPECT_EQ(*ports.begin(), 10'000);
  EXPECT_EQ(*ports.rbegin(), 10'000 + sessions - 1);
  EXPECT_EQ(tracker.zone_stats().promoted, sessions);
}

struct FloodCase {
  std::string name;
  Packet attack;
  std::optional<Packet> answer;
};

std::ostream& operator<<(std::ostream& out, const FloodCase& c) {
  return out << c.name;
}

class Flood : public testing::TestWithParam<FloodCase> {};

TEST_P(Flood, NeitherEvictsNorReachesEstablishedFlows) {
  const Tracker tracker(tables_of(4096, 1024));
  tracker.watch_crowds();
  tracker.run(sessions_of_handshakes());
  const auto& c = GetParam();
  flood(tracker, c.attack, c.answer ? &*c.answer : nullptr, flood_size);
  expect_sessions(tracker);
  EXPECT_EQ(tracker.counted(XF_TABLE_ESTABLISHED), sessions);
  EXPECT_LE(tracker.counted(XF_TABLE_HALF_OPEN), 1024u);
}

/// What it has left in the table ends by timers or by the sweep; nothing is left of what was evicted.
TEST_P(Flood, IsOverOneTimeoutAfterItsLastPacket) {
  TrackerOptions options = tables_of(4096, 1024);
  options.timeouts = with_timeout(XF_TIMEOUT_TCP_ESTABLISHED, 1h, all_timeouts(1s));
  const Tracker tracker(options);
  tracker.watch_crowds();
  tracker.run(sessions_of_handshakes());
  const auto& c = GetParam();
  flood(tracker, c.attack, c.answer ? &*c.answer : nullptr, flood_size);
  EXPECT_TRUE(eventually(30s, [&] { return tracker.counted(XF_TABLE_HALF_OPEN) == 0; }));
  expect_sessions(tracker);
  EXPECT_EQ(tracker.zone_stats().created - sessions,
            tracker.ended() + static_cast<uint64_t>(tracker.evicted(XF_TABLE_HALF_OPEN)));
}

INSTANTIATE_TEST_SUITE_P(
    Tables, Flood,
    testing::Values(FloodCase{"syns_at_an_open_port", segment(">S"), segment("<S.")},
                    FloodCase{"syns_at_a_closed_port", segment(">S"), segment("<R.")},
                    FloodCase{"syns_at_an_unreachable_host", segment(">S"), std::nullopt},
                    FloodCase{"udp_that_is_answered", udp(), udp().reversed()},
                    FloodCase{"udp", udp(), std::nullopt}, FloodCase{"pings", icmp(), std::nullopt}),
    [](const auto& info) { return info.param.name; });

TEST(Eviction, OfTheEstablishedTableIsNoneOfTheOther) {
  const Tracker tracker(tables_of(512, 4096));
  constexpr uint16_t connections = 5000;
  for (uint16_t i = 0; i < connections; i++)
    tracker.run(conversation(handshake, tcp().from("192.0.2.1", 10'000 + i)));
  EXPECT_EQ(tracker.zone_stats().promoted, connections);
  EXPECT_LE(tracker.counted(XF_TABLE_ESTABLISHED), 512u);
  EXPECT_GT(tracker.evicted(XF_TABLE_ESTABLISHED), connections - 513);
  EXPECT_EQ(tracker.counted(XF_TABLE_HALF_OPEN), 0u);
  EXPECT_EQ(tracker.evicted(XF_TABLE_HALF_OPEN), 0);
}

TEST(Eviction, IsWhatTheBooksMissAndTheTableToo) {
  const Tracker tracker(tables_of(256, 256));
  constexpr uint32_t flows = 20'000;
  flood(tracker, udp(), nullptr, flows);
  const auto live = tracker.live(XF_TABLE_HALF_OPEN);
  EXPECT_EQ(tracker.zone_stats().created, flows);
  EXPECT_EQ(tracker.ended(), 0u);
  EXPECT_EQ(tracker.counted(XF_TABLE_HALF_OPEN), live);
  EXPECT_GT(live, 0u);
  EXPECT_LE(live, 256u);
  EXPECT_EQ(tracker.evicted(XF_TABLE_HALF_OPEN), static_cast<int64_t>(flows - live));
}

TEST(Eviction, StaysTheSameWhenTheRestHasEnded) {
  const Tracker tracker(tables_of(256, 256));
  constexpr uint32_t flows = 20'000;
  flood(tracker, udp(), nullptr, flows);
  const auto evicted = tracker.evicted(XF_TABLE_HALF_OPEN);
  const auto live = tracker.live(XF_TABLE_HALF_OPEN);
  std::vector<xf_flow_key> keys;
  for (const auto& entry : tracker.entries(XF_TABLE_HALF_OPEN)) keys.push_back(entry.key);
  EXPECT_EQ(tracker.flush(XF_TABLE_HALF_OPEN, keys), live);
  ASSERT_TRUE(tracker.empties());
  EXPECT_EQ(tracker.evicted(XF_TABLE_HALF_OPEN), evicted);
}

TEST(Eviction, NeverHappensInATableThatWasNeverFull) {
  TrackerOptions options = tables_of(4096, 4096);
  options.timeouts = all_timeouts(200ms);
  const Tracker tracker(options);
  for (int round = 0; round < 3; round++) {
    for (uint16_t i = 0; i < 500; i++)
      tracker.run(conversation(handshake, tcp().from("192.0.2.1", 10'000 + i)));
    flood(tracker, udp(), nullptr, 500);
    ASSERT_TRUE(tracker.empties());
    EXPECT_EQ(tracker.evicted(XF_TABLE_HALF_OPEN), 0);
    EXPECT_EQ(tracker.evicted(XF_TABLE_ESTABLISHED), 0);
  }
  EXPECT_EQ(tracker.ended(), tracker.zone_stats().created);
}

}  // namespace
}  // namespace xdpflowd::test
