// SPDX-License-Identifier: GPL-2.0-or-later
// Everything at once, on every CPU, in tables far too small: nothing hangs, and at rest the books balance to
// the last flow.
#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

#include "conversation.h"
#include "support/process.h"
#include "support/timers.h"
#include "support/tracker.h"

namespace xdpflowd::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto hung_after = 10s;

std::chrono::seconds duration() {
  const char* seconds = std::getenv("XDPFLOWD_CHURN_SECONDS");
  return std::chrono::seconds(seconds ? std::atoi(seconds) : 15);
}

void pin_to(unsigned cpu) {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  CPU_SET(cpu, &cpus);
  ASSERT_EQ(pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus), 0);
}

/// One client's packets, of which a worker sends a random part.
std::vector<Bytes> frames_of(uint16_t client) {
  std::vector<Bytes> frames;
  const auto from = "192.0.2." + std::to_string(client % 7 + 1);
  const auto port = static_cast<uint16_t>(10'000 + client);
  if (client % 2 == 0) {
    for (const auto& packet : conversation(handshake + ">P. <P. >F. <F. >. >R", tcp().from(from, port)))
      frames.push_back(packet.frame());
  } else {
    const auto there = udp().from(from, port);
    for (const auto& packet : {there, there.reversed(), there}) frames.push_back(packet.frame());
  }
  return frames;
}

class Churn : public testing::Test {
 protected:
  /// The fewer clients, the more often two CPUs are at the same flow.
  void make_frames(uint16_t clients) {
    for (uint16_t client = 0; client < clients; client++) frames_.push_back(frames_of(client));
  }

  TrackerOptions tables_of(uint32_t size) {
    TrackerOptions options;
    options.max_flows = options.max_half_open = size_ = size;
    // TCP expires all the time; UDP fills the tables, however slow the machine: evictions and expiries must
    // meet.
    options.timeouts = with_timeout(XF_TIMEOUT_UDP, 1s, all_timeouts(1ms));
    options.timeouts[XF_TIMEOUT_UDP_STREAM] = 1s;
    options.records_ring = 64 * 1024;  // overflows now and then
    options.knobs = [](xdpflow_bpf* s) {
      s->rodata->promote_span_ns = s->rodata->coarse_tick_ns = s->rodata->jiffies_epoch_ns = 0;
    };
    return options;
  }

  void work(const Tracker& tracker, unsigned cpu) {
    pin_to(cpu);
    std::mt19937 random(cpu + 1);
    while (!stop_) {
      const auto& frames = frames_[random() % frames_.size()];
      const size_t first = random() % 4 == 0 ? random() % frames.size() : 0;
      const size_t last = first + 1 + random() % (frames.size() - first);
      for (size_t i = first; i < last; i++) tracker.run(frames[i]);
      if (random() % 4096 == 0) flush_all(tracker);
      if (random() % 4096 == 0) std::this_thread::sleep_for(20ms);  // lets flows time out
      rounds_[cpu]++;
    }
  }

  static void flush_all(const Tracker& tracker) {
    for (const auto table : {XF_TABLE_HALF_OPEN, XF_TABLE_ESTABLISHED}) {
      std::vector<xf_flow_key> keys;
      for (const auto& entry : tracker.some_entries(table, 600)) keys.push_back(entry.key);
      tracker.flush(table, keys);
    }
  }

  /// One table after the other is replaced by one of twice its size, or of the first size again.
  void resize_on(Tracker& tracker) {
    const auto table = resizes_ % 2 ? XF_TABLE_ESTABLISHED : XF_TABLE_HALF_OPEN;
    if (!resizing_) {
      tracker.resize(table, resizes_ % 4 < 2 ? 2 * size_ : size_);
      resizing_ = true;
      return;
    }
    std::vector<xf_flow_key> keys;
    for (const auto& entry : tracker.former_entries(table)) keys.push_back(entry.key);
    tracker.move(table, keys);
    if (tracker.former_size(table) > 0) return;
    tracker.drop_former(table);
    resizing_ = false;
    resizes_++;
  }

  bool finish_resize(Tracker& tracker) {
    return eventually(30s, [&] {
      if (resizing_) resize_on(tracker);
      return !resizing_;
    });
  }

  /// Reads the records and resizes meanwhile. A hang in the kernel cannot be undone: say so and go.
  void watch(Tracker& tracker, unsigned cpus, std::chrono::seconds time) {
    const auto end = Clock::now() + time;
    std::vector<uint64_t> seen(cpus);
    std::vector<Clock::time_point> moved(cpus, Clock::now());
    while (Clock::now() < end) {
      std::this_thread::sleep_for(10ms);
      records_ += tracker.records().size();
      resize_on(tracker);
      for (unsigned cpu = 0; cpu < cpus; cpu++) {
        if (const uint64_t now = rounds_[cpu]; now != seen[cpu]) {
          seen[cpu] = now;
          moved[cpu] = Clock::now();
        }
        if (Clock::now() - moved[cpu] > hung_after) {
          std::fprintf(stderr, "CPU %u hangs after %lu rounds\n", cpu, seen[cpu]);
          _exit(1);
        }
      }
    }
  }

  void run(Tracker& tracker, std::chrono::seconds time) {
    const unsigned cpus = std::min(2U, std::thread::hardware_concurrency());
    std::vector<std::thread> workers;
    for (unsigned cpu = 0; cpu < cpus; cpu++) workers.emplace_back([&, cpu] { work(tracker, cpu); });
    watch(tracker, cpus, time);
    stop_ = true;
    for (auto& worker : workers) worker.join();
    EXPECT_TRUE(finish_resize(tracker)) << "something stays in a table that was replaced";
    EXPECT_GT(resizes_, 1U);
  }

  std::vector<std::vector<Bytes>> frames_;
  std::atomic<bool> stop_ = false;
  std::atomic<uint64_t> rounds_[2] = {};
  uint64_t records_ = 0;
  uint32_t size_ = 0;  // of a table at first
  unsigned resizes_ = 0;
  bool resizing_ = false;
};

TEST_F(Churn, NeitherHangsNorLosesAFlow) {
  ASSERT_TRUE(prime_timers(20'000));
  make_frames(4096);  // eight times the tables: keys come again live, ended and evicted
  Tracker tracker(tables_of(512));
  tracker.watch_crowds();
  run(tracker, duration());
  ASSERT_TRUE(tracker.empties(30s)) << tracker.counted(XF_TABLE_HALF_OPEN) << " half-open and "
                                    << tracker.counted(XF_TABLE_ESTABLISHED) << " established flows stay";
  records_ += tracker.records().size();
  const auto zone = tracker.zone_stats();
  EXPECT_EQ(records_ + tracker.global_stats().lost[XF_LOST_RECORD], tracker.ended());
  EXPECT_GT(tracker.evicted(XF_TABLE_HALF_OPEN), 0);
  EXPECT_GT(tracker.evicted(XF_TABLE_ESTABLISHED), 0);
  EXPECT_EQ(zone.orphaned, zone.adopted);
  for (int reason = 0; reason < XF_REASONS; reason++)
    EXPECT_GT(zone.ended[XF_TABLE_HALF_OPEN][reason] + zone.ended[XF_TABLE_ESTABLISHED][reason], 0u)
        << reason;
}

class ChurnWithoutEviction : public Churn, public testing::WithParamInterface<uint16_t> {};

TEST_P(ChurnWithoutEviction, BooksEveryFlow) {
  ASSERT_TRUE(prime_timers(20'000));
  make_frames(GetParam());
  Tracker tracker(tables_of(32'768));
  tracker.watch_crowds();
  run(tracker, duration() / 6);
  ASSERT_TRUE(tracker.empties(30s));
  EXPECT_EQ(tracker.evicted(XF_TABLE_HALF_OPEN), 0);
  EXPECT_EQ(tracker.evicted(XF_TABLE_ESTABLISHED), 0);
  EXPECT_EQ(tracker.ended(), tracker.zone_stats().created);
  EXPECT_EQ(records_ + tracker.records().size() + tracker.global_stats().lost[XF_LOST_RECORD],
            tracker.ended());
}

INSTANTIATE_TEST_SUITE_P(OfClients, ChurnWithoutEviction, testing::Values(4, 64, 4096),
                         [](const auto& info) { return std::to_string(info.param); });

}  // namespace
}  // namespace xdpflowd::test
