// SPDX-License-Identifier: GPL-2.0-or-later
// New flows while the half-open table is full: they get no timer, end by the sweep, and cost little more than
// others.
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <thread>

#include "conversation.h"
#include "orphans.h"
#include "support/process.h"
#include "support/timers.h"

namespace xdpflowd::test {
namespace {

using namespace std::chrono_literals;

constexpr uint32_t room = 4096;
/// For so long after a table was seen to be full new flows get no timers: as long as a test may be held up,
/// where it is not about that.
constexpr std::chrono::nanoseconds long_crowd = 1min, short_crowd = 100ms;
constexpr auto calm = 2 * short_crowd;

class Crowd : public testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(prime_timers(50'000)); }

  void SetUp() override {
    static const bool told = Tracker().watch_crowds();
    if (!told) GTEST_SKIP() << "before Linux 6.6 nothing tells how full a table is (bpf_map_sum_elem_count)";
  }

  void start(TrackerOptions options, std::chrono::nanoseconds crowd = long_crowd) {
    options.max_half_open = room;
    options.knobs = [crowd](xdpflow_bpf* s) { s->rodata->crowd_ns = static_cast<uint64_t>(crowd.count()); };
    tracker_ = std::make_unique<Tracker>(options);
    tracker_->watch_crowds();
  }

  /// Until new flows get no timers. The answer to whether the table is full comes by a timer, a moment later.
  void fill() {
    ASSERT_TRUE(eventually(wide, [&] {
      const int64_t before = without_asking();
      made_ = make_flows(*tracker_, room, made_);
      return without_asking() > before;
    }));
  }

  uint64_t refused() const {
    uint64_t sum = 0;
    for (const uint64_t failures : tracker_->global_stats().timer_failures) sum += failures;
    return sum;
  }

  /// Flows that got no timer since the table was full, not for want of memory.
  int64_t without_asking() const { return static_cast<int64_t>(tracker_->zone_stats().orphaned - refused()); }

  void flush() const {
    std::vector<xf_flow_key> keys;
    for (const auto& entry : tracker_->entries(XF_TABLE_HALF_OPEN)) keys.push_back(entry.key);
    tracker_->flush(XF_TABLE_HALF_OPEN, keys);
  }

  /// All others are of UDP.
  Entry half_open_tcp() const {
    for (const auto& entry : tracker_->entries(XF_TABLE_HALF_OPEN))
      if (entry.key.l4_proto == IPPROTO_TCP) return entry;
    throw std::runtime_error("no half-open TCP flow");
  }

  std::unique_ptr<Tracker> tracker_;
  uint32_t made_ = 0;
};

TEST_F(Crowd, NewFlowsOfATableWithRoomHaveTimers) {
  start(with(all_timeouts(1h)), short_crowd);
  for (int i = 0; i < 30; i++) {
    made_ = make_flows(*tracker_, room / 100, made_);
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(tracker_->zone_stats().orphaned, refused());
}

TEST_F(Crowd, NewFlowsOfAFullTableHaveNone) {
  start(with(all_timeouts(1h)));
  fill();
  const uint64_t before = tracker_->zone_stats().orphaned, refused_before = refused();
  made_ = make_flows(*tracker_, 100, made_);
  EXPECT_EQ(tracker_->zone_stats().orphaned - before, 100u);
  EXPECT_EQ(refused(), refused_before) << "timers were asked for";
  EXPECT_GE(with_flag(tracker_->entries(XF_TABLE_HALF_OPEN), XF_FLOW_ORPHAN), 100u);
}

TEST_F(Crowd, EndsOnTimeAndNotBefore) {
  constexpr uint64_t timeout_ns = 3'000'000'000;
  start(with(with_timeout(XF_TIMEOUT_UDP, std::chrono::nanoseconds(timeout_ns))));
  fill();
  made_ = make_flows(*tracker_, 2 * room, made_);
  ASSERT_TRUE(tracker_->empties());
  EXPECT_TRUE(eventually(wide, [&] { return orphans(*tracker_) == 0; }));
  const auto records = tracker_->records();
  EXPECT_GE(records.size(), room / 2);
  for (const auto& record : records) ASSERT_GE(record.ended_ns, record.last_seen_ns + timeout_ns);
  EXPECT_EQ(tracker_->ended(), records.size());
}

TEST_F(Crowd, IsNotSweptBeforeOneOfItIsDue) {
  start(with(all_timeouts(1h)));
  fill();
  made_ = make_flows(*tracker_, 2 * room, made_);
  const auto passes = [&] { return tracker_->reaper().orphan_pass; };
  const uint32_t before = passes();
  std::this_thread::sleep_for(calm);
  EXPECT_LE(passes() - before, 1u);
  EXPECT_EQ(tracker_->reaper().sweeping, 0u);
}

TEST_F(Crowd, MakesNoQueueThatGrows) {
  TrackerOptions options = with(all_timeouts(1h));
  options.orphan_queue = 16 * room;
  start(options);
  fill();
  for (int i = 0; i < 20; i++) made_ = make_flows(*tracker_, room, made_);
  EXPECT_GE(tracker_->zone_stats().orphaned, 10 * room);
  EXPECT_LE(orphans(*tracker_), 2 * room);
}

TEST_F(Crowd, IsOverWhenThereIsRoomAgain) {
  start(with(all_timeouts(1h)), short_crowd);
  fill();
  flush();
  ASSERT_TRUE(tracker_->empties());
  std::this_thread::sleep_for(calm);
  const uint64_t before = tracker_->zone_stats().orphaned, refused_before = refused();
  made_ = make_flows(*tracker_, 100, made_);
  EXPECT_EQ(tracker_->zone_stats().orphaned - before, refused() - refused_before);
}

TEST_F(Crowd, ConnectionsAreEstablishedWithATimer) {
  start(with(all_timeouts(1h)));
  fill();
  tracker_->run(conversation(">S"));
  EXPECT_TRUE(half_open_tcp().has(XF_FLOW_ORPHAN));
  tracker_->run(conversation("<S. >."));
  ASSERT_EQ(tracker_->live(XF_TABLE_ESTABLISHED), 1u);
  // If the kernel had no memory at once, the sweep gets it one.
  EXPECT_TRUE(
      eventually(wide, [&] { return !tracker_->entries(XF_TABLE_ESTABLISHED).at(0).has(XF_FLOW_ORPHAN); }));
}

TEST_F(Crowd, ConnectionsThatAreRefusedEndSooner) {
  start(with(with_timeout(XF_TIMEOUT_TCP_CLOSE, 50ms, all_timeouts(1h))));
  fill();
  tracker_->run(conversation(">S"));
  ASSERT_TRUE(half_open_tcp().has(XF_FLOW_ORPHAN));
  tracker_->run(conversation("<R."));
  ASSERT_TRUE(eventually(wide, [&] { return tracker_->ended() == 1; }));
  EXPECT_EQ(tracker_->zone_stats().ended[XF_TABLE_HALF_OPEN][XF_REASON_RESET], 1u);
}

TEST_F(Crowd, EndsByTimeoutsThatBecameShorter) {
  start(with(all_timeouts(1h)));
  fill();
  std::vector<xf_flow_key> keys;
  for (const auto& entry : tracker_->entries(XF_TABLE_HALF_OPEN)) keys.push_back(entry.key);
  tracker_->set_timeouts(all_timeouts(50ms));
  tracker_->rearm(XF_TABLE_HALF_OPEN, keys);
  EXPECT_TRUE(tracker_->empties());
}

TEST_F(Crowd, FlowsThatAreStillInUseAtTheirDeadlineGetATimer) {
  start(with(with_timeout(XF_TIMEOUT_TCP_SYN_SENT, 300ms, all_timeouts(1h))));
  fill();
  const auto syn = conversation(">S");
  tracker_->run(syn);
  ASSERT_TRUE(half_open_tcp().has(XF_FLOW_ORPHAN));
  ASSERT_TRUE(eventually(wide, [&] {
    tracker_->run(syn);
    return !half_open_tcp().has(XF_FLOW_ORPHAN);
  }));
  EXPECT_EQ(tracker_->ended(), 0u);
  ASSERT_TRUE(eventually(wide, [&] { return tracker_->ended() == 1; }));
  EXPECT_EQ(tracker_->global_stats().callbacks[XF_CALLBACK_ENDED], 1u);
}

TEST_F(Crowd, FlowsThatFindNoPlaceInTheQueueHaveTimers) {
  TrackerOptions options = with(with_timeout(XF_TIMEOUT_UDP, 3s));
  options.orphan_queue = 64;
  start(options);
  fill();
  made_ = make_flows(*tracker_, 2 * room, made_);
  EXPECT_LE(orphans(*tracker_), 64);
  EXPECT_TRUE(tracker_->empties());
}

TEST_F(Crowd, LosesNoFlowThoughItsQueueIsFullAndSeveralCpusAreAtIt) {
  TrackerOptions options = with(with_timeout(XF_TIMEOUT_UDP, 100ms));
  options.orphan_queue = room + room / 2;
  options.max_half_open = room;
  start(options, short_crowd);
  std::vector<std::thread> cpus;
  for (uint32_t cpu = 0; cpu < 2; cpu++)
    cpus.emplace_back([this, cpu] { make_flows(*tracker_, 60 * room, cpu << 30); });
  for (auto& cpu : cpus) cpu.join();
  EXPECT_GT(tracker_->zone_stats().orphaned, room);
  EXPECT_TRUE(tracker_->empties()) << tracker_->live(XF_TABLE_HALF_OPEN) << " flows are left";
  EXPECT_TRUE(eventually(wide, [&] { return orphans(*tracker_) == 0; }));
}

TEST_F(Crowd, OfOneZoneIsNoneOfAnother) {
  TrackerOptions options = with(all_timeouts(1h));
  options.zones = 2;
  start(options);
  tracker_->add_rule(0, 0, true);
  tracker_->add_rule(7, 1, false);
  fill();
  tracker_->run(udp().vlan(7));
  EXPECT_EQ(tracker_->zone_stats(1).created, 1u);
  EXPECT_EQ(tracker_->zone_stats(1).orphaned, 0u);
}

}  // namespace
}  // namespace xdpflowd::test
