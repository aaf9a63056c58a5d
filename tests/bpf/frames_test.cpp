// SPDX-License-Identifier: GPL-2.0-or-later
// Hundreds of thousands of frames that nobody sends on purpose. XDPFLOWD_TEST_FRAMES says how many,
// XDPFLOWD_TEST_SEED which.
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/clock.h"
#include "support/frame_mutator.h"
#include "support/tracker.h"
#include "user_parser.h"

namespace xdpflowd::test {
namespace {

constexpr int parsed = -1;

/// Nothing ends by itself.
TrackerOptions patient(uint32_t size) {
  return {.max_flows = size, .max_half_open = size, .timeouts = all_timeouts(std::chrono::hours(24))};
}

// ---- the program in the kernel and the same source in user space ----

class Differential : public testing::Test {
 protected:
  /// What the interface's counters must be after a frame of which user space says this.
  xf_interface_stats expected_after(const user_parsed& user, xf_untracked untracked_if_error) const {
    xf_interface_stats stats = before_;
    stats.bytes += user.bytes;
    if (user.unparsed == parsed && !user.icmp_error) {
      stats.packets[XF_VERDICT_CREATED]++;
      return stats;
    }
    if (user.unparsed == parsed && untracked_if_error == XF_UNTRACKED) {
      stats.packets[XF_VERDICT_TRACKED]++;
      return stats;
    }
    stats.packets[XF_VERDICT_UNTRACKED]++;
    stats.untracked[user.unparsed == parsed ? untracked_if_error : XF_UNTRACKED_UNPARSED]++;
    if (user.unparsed != parsed) stats.unparsed[user.unparsed]++;
    return stats;
  }

  bool counts_as(const Bytes& frame, const user_parsed& user, xf_untracked untracked_if_error) {
    if (tracker_.run(frame) != XDP_PASS) return false;
    const auto now = tracker_.interface_stats();
    const auto expected = expected_after(user, untracked_if_error);
    before_ = now;
    return std::memcmp(&now, &expected, sizeof now) == 0;
  }

  /// Takes the flow with user space's key out of the table.
  bool takes_flow(const user_parsed& user, xf_flow& flow) const {
    const int table = tracker_.table(XF_TABLE_HALF_OPEN);
    return bpf_map_lookup_and_delete_elem(table, &user.key, &flow) == 0;
  }

  bool agree_about_a_packet(const Bytes& frame, const user_parsed& user) {
    xf_flow flow{};
    return counts_as(frame, user, XF_UNTRACKED) && takes_flow(user, flow) && flow.phase == user.phase &&
           flow.forward.packets == 1 && flow.forward.bytes == user.bytes && flow.reverse.packets == 0 &&
           user.from_high == ((flow.status.flags & XF_FLOW_HIGH_STARTED) != 0);
  }

  /// With and without the flow that it quotes.
  bool agree_about_an_error(const Bytes& frame, const user_parsed& user) {
    if (!counts_as(frame, user, XF_UNTRACKED_UNKNOWN_ERROR)) return false;
    xf_flow flow{};
    flow.phase = user.phase;
    flow.last_seen_ns = monotonic_ns();
    flow.status.timeout = XF_TIMEOUT_GENERIC;
    const int table = tracker_.table(XF_TABLE_HALF_OPEN);
    if (bpf_map_update_elem(table, &user.key, &flow, BPF_NOEXIST) != 0) return false;
    return counts_as(frame, user, XF_UNTRACKED) && takes_flow(user, flow) && flow.icmp_errors == 1;
  }

  bool agree(const Bytes& frame) {
    const auto user = parse_in_user_space(frame.data(), frame.size());
    if (user.unparsed != parsed) return counts_as(frame, user, XF_UNTRACKED_UNPARSED);
    ++packets_;
    errors_ += user.icmp_error;
    return user.icmp_error ? agree_about_an_error(frame, user) : agree_about_a_packet(frame, user);
  }

  const Tracker tracker_{patient(4096)};
  xf_interface_stats before_ = tracker_.interface_stats();
  uint64_t packets_ = 0, errors_ = 0;
};

TEST_F(Differential, TheParserMakesTheSameOfAnyFrameInTheKernelAndInUserSpace) {
  FrameMutator frames(seed_of_this_run());
  const uint64_t count = frames_of_this_run();
  for (uint64_t i = 0; i < count; ++i) {
    const Bytes frame = frames.next();
    ASSERT_TRUE(agree(frame)) << "seed " << seed_of_this_run() << ", frame " << i << ": " << hex(frame)
                              << "\nuser space says "
                              << parse_in_user_space(frame.data(), frame.size()).unparsed;
  }
  EXPECT_GT(packets_, count / 4) << "too few to mean anything";
  EXPECT_GT(errors_, count / 50) << "too few to mean anything";
  EXPECT_LT(packets_, count / 4 * 3) << "too few that are broken";
}

// ---- whatever arrives ----

template <class Array>
uint64_t sum_of(const Array& counters) {
  return std::accumulate(std::begin(counters), std::end(counters), uint64_t{0});
}

/// Packets, and errors about them, that are on flows.
uint64_t counted_on_flows(const Tracker& tracker) {
  uint64_t sum = 0;
  const auto add = [&](const auto& flow) {
    sum += flow.forward.packets + flow.reverse.packets + flow.icmp_errors;
  };
  for (const auto table : {XF_TABLE_HALF_OPEN, XF_TABLE_ESTABLISHED})
    for (const auto& entry : tracker.entries(table)) add(entry.flow);
  for (const auto& record : tracker.records()) add(record);
  return sum;
}

void expect_balance(const Tracker& tracker, uint64_t frames) {
  const auto stats = tracker.interface_stats();
  const auto zone = tracker.zone_stats();
  EXPECT_EQ(sum_of(stats.packets), frames);
  EXPECT_EQ(sum_of(stats.untracked), stats.packets[XF_VERDICT_UNTRACKED]);
  EXPECT_EQ(sum_of(stats.unparsed), stats.untracked[XF_UNTRACKED_UNPARSED]);
  EXPECT_EQ(zone.created, stats.packets[XF_VERDICT_CREATED]);
  const auto live = tracker.live(XF_TABLE_HALF_OPEN) + tracker.live(XF_TABLE_ESTABLISHED);
  EXPECT_EQ(zone.created, live + tracker.ended());
  EXPECT_EQ(counted_on_flows(tracker), stats.packets[XF_VERDICT_TRACKED] + stats.packets[XF_VERDICT_CREATED]);
  EXPECT_EQ(sum_of(tracker.global_stats().errors), 0U);
  EXPECT_EQ(sum_of(tracker.global_stats().lost), 0U);
}

TEST(WhateverArrives, IsPassedAndTheBooksBalance) {
  constexpr uint64_t at_once = 300'000;  // a table has room for all flows of these
  FrameMutator frames(seed_of_this_run());
  for (uint64_t left = frames_of_this_run(); left > 0;) {
    const uint64_t count = std::min(left, at_once);
    const Tracker tracker(patient(1'000'000));
    for (uint64_t i = 0; i < count; ++i) {
      const Bytes frame = frames.next();
      ASSERT_EQ(tracker.run(frame), XDP_PASS) << "seed " << seed_of_this_run() << ": " << hex(frame);
    }
    expect_balance(tracker, count);
    if (HasFailure()) FAIL() << "seed " << seed_of_this_run() << ", " << left << " frames left";
    left -= count;
  }
}

}  // namespace
}  // namespace xdpflowd::test
