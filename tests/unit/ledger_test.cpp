// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/ledger.h"

#include <gtest/gtest.h>

namespace xdpflowd {
namespace {

/// 100 created, 30 promoted; of the half-open 40 ended, of the established 10.
xf_zone_stats sample() {
  xf_zone_stats stats{};
  stats.created = 100;
  stats.promoted = 30;
  stats.ended[XF_TABLE_HALF_OPEN][XF_REASON_IDLE] = 38;
  stats.ended[XF_TABLE_HALF_OPEN][XF_REASON_RESET] = 2;
  stats.ended[XF_TABLE_ESTABLISHED][XF_REASON_CLOSED] = 9;
  stats.ended[XF_TABLE_ESTABLISHED][XF_REASON_FLUSHED] = 1;
  return stats;
}

TEST(EvictionEstimate, IsZeroAtRestIfTheKernelHasWhatIsLeft) {
  EXPECT_EQ(eviction_estimate(sample(), XF_TABLE_HALF_OPEN, 30), 0);
  EXPECT_EQ(eviction_estimate(sample(), XF_TABLE_ESTABLISHED, 20), 0);
}

TEST(EvictionEstimate, IsWhatTheKernelLacks) {
  EXPECT_EQ(eviction_estimate(sample(), XF_TABLE_HALF_OPEN, 25), 5);
  EXPECT_EQ(eviction_estimate(sample(), XF_TABLE_ESTABLISHED, 0), 20);
}

TEST(EvictionEstimate, IsNegativeWhileEndedFlowsWaitForTheReaper) {
  EXPECT_EQ(eviction_estimate(sample(), XF_TABLE_HALF_OPEN, 33), -3);
}

TEST(Ledger, RisesToTheSmallerOfTheLastTwoEstimates) {
  xf_ledger ledger{};
  ledger = ledger_after(ledger, 7);
  EXPECT_EQ(ledger.evicted, 0u);
  ledger = ledger_after(ledger, 5);
  EXPECT_EQ(ledger.evicted, 5u);
  ledger = ledger_after(ledger, 9);
  EXPECT_EQ(ledger.evicted, 5u);
  ledger = ledger_after(ledger, 9);
  EXPECT_EQ(ledger.evicted, 9u);
}

TEST(Ledger, ASingleEstimateThatARaceSpoiltIsForgotten) {
  xf_ledger ledger{};
  for (const int64_t estimate : {0, 1000, 0, 0}) ledger = ledger_after(ledger, estimate);
  EXPECT_EQ(ledger.evicted, 0u);
}

TEST(Ledger, NeverFalls) {
  xf_ledger ledger{.evicted = 12, .estimate = 12};
  for (const int64_t estimate : {3, -50, 0, 11}) {
    ledger = ledger_after(ledger, estimate);
    EXPECT_EQ(ledger.evicted, 12u) << estimate;
  }
}

TEST(Ledger, NegativeEstimatesEvictNothing) {
  EXPECT_EQ(ledger_after({.evicted = 0, .estimate = -4}, -4).evicted, 0u);
}

TEST(Books, FlowsAreWhatCameLessWhatWentEachTableForItself) {
  ZoneSnapshot zone;
  zone.stats = sample();
  EXPECT_EQ(flows_by_the_books(zone, XF_TABLE_HALF_OPEN), 30u);
  EXPECT_EQ(flows_by_the_books(zone, XF_TABLE_ESTABLISHED), 20u);
}

TEST(Books, EvictedFlowsAreGone) {
  ZoneSnapshot zone;
  zone.stats = sample();
  zone.tables[XF_TABLE_HALF_OPEN].evicted = 4;
  zone.tables[XF_TABLE_ESTABLISHED].evicted = 7;
  EXPECT_EQ(flows_by_the_books(zone, XF_TABLE_HALF_OPEN), 26u);
  EXPECT_EQ(flows_by_the_books(zone, XF_TABLE_ESTABLISHED), 13u);
}

TEST(Books, AreNeverNegativeWhileCountersMove) {
  ZoneSnapshot zone;
  zone.stats.ended[XF_TABLE_HALF_OPEN][XF_REASON_IDLE] = 1;
  EXPECT_EQ(flows_by_the_books(zone, XF_TABLE_HALF_OPEN), 0u);
}

}  // namespace
}  // namespace xdpflowd
