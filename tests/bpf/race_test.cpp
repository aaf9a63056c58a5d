// SPDX-License-Identifier: GPL-2.0-or-later
// Two CPUs in one conversation at once: no step of either is lost.
#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <thread>

#include "support/timers.h"
#include "support/tracker.h"

namespace xdpflowd::test {
namespace {

constexpr unsigned conversations = 10'000;

void stay_on_cpu(int cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  sched_setaffinity(0, sizeof one, &one);
}

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

TEST_F(Race, AResetBesideTheProvingAckIsNeverForgotten) {
  const Tracker tracker(options());
  for (unsigned number = 0; number < conversations; number++) {
    tracker.run(segment_of(number).syn().seq(100));
    tracker.run(segment_of(number).reversed().syn().ack_number(101).seq(500));
  }
  side_by_side([&](unsigned number) { tracker.run(segment_of(number).seq(101).ack_number(501)); },
               [&](unsigned number) { tracker.run(segment_of(number).reversed().rst().seq(501)); });
  EXPECT_EQ(in_state(tracker, XF_STATE_ESTABLISHED), 0u);
  EXPECT_EQ(in_state(tracker, XF_STATE_CLOSE), conversations);
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
