// SPDX-License-Identifier: GPL-2.0-or-later
// Two CPUs in one conversation at once: no step of either is lost.
#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "stay_on_cpu.h"
#include "support/timers.h"
#include "support/tracker.h"

namespace xdpflowd::test {
namespace {

constexpr unsigned conversations = 10'000;

Packet segment_of(unsigned number) {
  const std::string source = "10.1." + std::to_string(number / 250) + "." + std::to_string(number % 250 + 1);
  return tcp().from(source, 40000).to("198.51.100.1", 443);
}

/// Both run `number` at the same moment, one conversation after the other.
template <class First, class Second>
void side_by_side(First first, Second second) {
  std::atomic<unsigned> ready_first{0}, ready_second{0};
  std::thread other([&] {
    stay_on_cpu(1);
    for (unsigned number = 0; number < conversations; number++) {
      ready_second = number + 1;
      while (ready_first < number + 1) {
      }
      second(number);
    }
  });
  stay_on_cpu(0);
  for (unsigned number = 0; number < conversations; number++) {
    ready_first = number + 1;
    while (ready_second < number + 1) {
    }
    first(number);
  }
  other.join();
}

size_t in_state(const Tracker& tracker, xf_state state) {
  size_t count = 0;
  for (const auto table : {XF_TABLE_HALF_OPEN, XF_TABLE_ESTABLISHED})
    for (const auto& entry : tracker.entries(table)) count += entry.state() == state;
  return count;
}

class Race : public testing::Test {
 protected:
  static TrackerOptions options() {
    TrackerOptions options;
    options.max_flows = options.max_half_open = 65'536;
    options.timeouts =
        all_timeouts(std::chrono::hours(1));  // nothing ends by itself, however slow the machine
    return options;
  }

  void SetUp() override {
    if (std::thread::hardware_concurrency() < 2)
      GTEST_SKIP() << "this kernel has one CPU: nothing runs side by side";
    ASSERT_TRUE(prime_timers(50'000));
  }
};

/// So that the one meets the other at each step of its way.
void dawdle(unsigned number) {
  for (unsigned i = 0; i < number * 7 % 2000; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
}

/// The ACK that proves each conversation, and at the same moment the RST that closes it.
void reset_beside_proofs(const Tracker& tracker) {
  std::vector<Bytes> acks, resets;
  for (unsigned number = 0; number < conversations; number++) {
    tracker.run(segment_of(number).syn().seq(100));
    tracker.run(segment_of(number).reversed().syn().ack_number(101).seq(500));
    acks.push_back(segment_of(number).seq(101).ack_number(501).frame());
    resets.push_back(segment_of(number).reversed().rst().seq(501).frame());
  }
  side_by_side([&](unsigned number) { tracker.run(acks[number]); },
               [&](unsigned number) {
                 dawdle(number);
                 tracker.run(resets[number]);
               });
}

TEST_F(Race, AResetBesideTheProvingAckIsNeverForgotten) {
  const Tracker tracker(options());
  reset_beside_proofs(tracker);
  EXPECT_EQ(in_state(tracker, XF_STATE_ESTABLISHED), 0u);
  EXPECT_EQ(in_state(tracker, XF_STATE_CLOSE), conversations);
}

/// The mark of an orphan is set while a flow moves.
TEST_F(Race, NorIsItWhereThereAreNoTimers) {
  Tracker tracker(options());
  tracker.let_go_of_tables();
  reset_beside_proofs(tracker);
  tracker.hold_tables();
  EXPECT_EQ(in_state(tracker, XF_STATE_ESTABLISHED), 0u);
  EXPECT_EQ(in_state(tracker, XF_STATE_CLOSE), conversations);
}

TEST_F(Race, AFlowThatAPacketAndTheAdminMoveAtOnceLivesOn) {
  Tracker tracker(options());
  std::vector<xf_flow_key> keys;
  std::vector<Bytes> frames;
  for (unsigned number = 0; number < conversations; number++) {
    tracker.run(segment_of(number).seq(100).ack_number(7));
    frames.push_back(segment_of(number).seq(101).ack_number(7).frame());
  }
  // In the order of the conversations: by the last two bytes of their addresses.
  for (const auto& entry : tracker.entries(XF_TABLE_HALF_OPEN)) keys.push_back(entry.key);
  std::ranges::sort(keys, {}, [](const xf_flow_key& key) { return ntohl(key.low.word[3]); });
  ASSERT_EQ(keys.size(), conversations);
  tracker.resize(XF_TABLE_HALF_OPEN, 131'072);
  side_by_side(
      [&](unsigned number) {
        dawdle(number);
        tracker.run(frames[number]);
      },
      [&](unsigned number) { tracker.move(XF_TABLE_HALF_OPEN, {keys[number]}); });
  EXPECT_EQ(tracker.records().size(), 0u) << "of a flow that is there";
  EXPECT_EQ(tracker.zone_stats().created, conversations);
  uint64_t packets = 0;
  for (const auto& entry : tracker.entries(XF_TABLE_HALF_OPEN)) packets += entry.flow.forward.packets;
  EXPECT_EQ(packets, 2 * conversations);
}

TEST_F(Race, AConversationPromotedBesideItsNextPacketStaysOneFlow) {
  const Tracker tracker(options());
  for (unsigned number = 0; number < conversations; number++) {
    tracker.run(segment_of(number).syn().seq(100));
    tracker.run(segment_of(number).reversed().syn().ack_number(101).seq(500));
  }
  side_by_side([&](unsigned number) { tracker.run(segment_of(number).seq(101).ack_number(501)); },
               [&](unsigned number) {
                 tracker.run(segment_of(number).reversed().seq(501).ack_number(101).payload(10));
               });
  EXPECT_EQ(tracker.zone_stats().created, conversations);
  EXPECT_EQ(tracker.live(XF_TABLE_ESTABLISHED), conversations);
  EXPECT_EQ(tracker.counted(XF_TABLE_HALF_OPEN), 0u);
}

TEST_F(Race, TwoFirstPacketsOfOneConversationMakeOneFlow) {
  const Tracker tracker(options());
  side_by_side([&](unsigned number) { tracker.run(segment_of(number).syn()); },
               [&](unsigned number) { tracker.run(segment_of(number).reversed().syn()); });
  EXPECT_EQ(tracker.zone_stats().created, conversations);
  EXPECT_EQ(tracker.counted(XF_TABLE_HALF_OPEN), conversations);
}

}  // namespace
}  // namespace xdpflowd::test
