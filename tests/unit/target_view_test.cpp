// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include <cstring>

#include "unit/targets.h"

namespace xdpflowd {
namespace {

using test::down_target;
using test::new_target;
using test::second_ns;
using test::target_look;
using test::target_now_ns;
using test::up_target;

Target probed_ago(uint64_t age_ns) {
  Target target = up_target();
  target.state.judged_ns = target_now_ns - age_ns;
  return target;
}

TEST(TargetView, AProbeIsItsKindAndItsPort) {
  Target target = new_target();
  EXPECT_EQ(probe_text(target), "icmp");
  target.config.probe = XF_PROBE_ARP;
  EXPECT_EQ(probe_text(target), "arp");
  target.config.port = htons(80);
  target.config.probe = XF_PROBE_TCP;
  EXPECT_EQ(probe_text(target), "tcp:80");
  target.config.probe = XF_PROBE_UDP;
  EXPECT_EQ(probe_text(target), "udp:80");
}

TEST(TargetView, ANameThatFillsItsFieldEndsThere) {
  Target target = new_target();
  std::memset(target.config.name, 'x', sizeof target.config.name);
  EXPECT_EQ(name_of(target).size(), sizeof target.config.name);
}

TEST(TargetView, AnOperatorsWordStandsAboveTheProbes) {
  Target target = up_target();
  EXPECT_EQ(state_text(target, target_look), "up");
  target.state.forced = XF_HEALTH_DOWN;
  EXPECT_EQ(state_text(target, target_look), "down (forced)");
  EXPECT_EQ(state_name(target), "down");
  EXPECT_FALSE(is_up(target));
  EXPECT_TRUE(is_forced(target));
}

TEST(TargetView, AStateIsStaleThreeSecondsAfterTheDaemonsLastSign) {
  const Target target = up_target();
  EXPECT_FALSE(is_stale(target, {target_now_ns, target_now_ns - 3 * second_ns}));
  EXPECT_TRUE(is_stale(target, {target_now_ns, target_now_ns - 3 * second_ns - 1}));
  EXPECT_EQ(state_text(target, {target_now_ns, target_now_ns - 4 * second_ns}), "up (stale)");
}

TEST(TargetView, WithoutAnyDaemonEveryStateIsStale) {
  EXPECT_TRUE(is_stale(up_target(), {target_now_ns, 0}));
}

TEST(TargetView, AStateThatIsForcedCanBeStaleToo) {
  Target target = up_target();
  target.state.forced = XF_HEALTH_UP;
  EXPECT_EQ(state_text(target, {target_now_ns, 0}), "up (forced, stale)");
}

TEST(TargetView, AStateIsStaleWhenTwoIntervalsATimeoutAndASecondPassWithoutAProbe) {
  const uint64_t patience_ns = 2 * second_ns + second_ns / 2 + second_ns;
  EXPECT_FALSE(is_stale(probed_ago(patience_ns), target_look));
  EXPECT_TRUE(is_stale(probed_ago(patience_ns + 1), target_look));
}

TEST(TargetView, ATargetThatIsDownIsProbedAtItsOwnPace) {
  Target target = probed_ago(15 * second_ns);
  target.config.down_interval_ns = 10 * second_ns;
  EXPECT_TRUE(is_stale(target, target_look));
  target.state.health = XF_HEALTH_DOWN;
  EXPECT_FALSE(is_stale(target, target_look));
}

TEST(TargetView, WhatIsForcedIsStillProbedAtThePaceOfWhatTheProbesSay) {
  Target target = probed_ago(15 * second_ns);
  target.config.down_interval_ns = 10 * second_ns;
  target.state.forced = XF_HEALTH_DOWN;
  EXPECT_TRUE(is_stale(target, target_look));
}

TEST(TargetView, ASharedProbeComesAtTheIntervalWhoeverIsDown) {
  Target target = probed_ago(15 * second_ns);
  target.state.health = XF_HEALTH_DOWN;
  target.config.down_interval_ns = 10 * second_ns;
  EXPECT_FALSE(is_stale(target, target_look));
  target.config.first_sharer = 7;
  EXPECT_TRUE(is_stale(target, target_look));
  target.config.first_sharer = target.index;
  target.config.next_sharer = 7;
  EXPECT_TRUE(is_stale(target, target_look));
}

TEST(TargetView, BeforeItsFirstProbeATargetIsStaleOnlyIfThatIsOverdue) {
  Target target = probed_ago(target_now_ns);
  EXPECT_TRUE(is_stale(target, target_look)) << "no probe is planned";
  target.state.due_ns = target_now_ns + second_ns;
  EXPECT_FALSE(is_stale(target, target_look));
  target.state.due_ns = target_now_ns - 2 * second_ns;
  EXPECT_TRUE(is_stale(target, target_look));
}

TEST(TargetView, WhatHappensAfterTheClockWasReadIsNotOld) {
  Target target = up_target();
  target.state.judged_ns = target.state.since_ns = target_now_ns + 5;
  EXPECT_FALSE(is_stale(target, {target_now_ns, target_now_ns + 5}));
  EXPECT_EQ(state_age_ns(target, target_look), 0);
}

TEST(TargetView, AStateThatNeverChangedHasNoAge) {
  EXPECT_EQ(state_age_ns(new_target(), target_look), std::nullopt);
  EXPECT_EQ(state_age_ns(up_target(), target_look), static_cast<int64_t>(252 * second_ns));
}

TEST(TargetView, RoundTripTimesAreKnownFromTheFirstReplyOn) {
  EXPECT_FALSE(round_trips(new_target()));
  const auto times = round_trips(up_target());
  ASSERT_TRUE(times);
  EXPECT_EQ(times->last_ns, 412'000);
  EXPECT_EQ(times->min_ns, 300'000);
  EXPECT_EQ(times->average_ns, 500'000);
  EXPECT_EQ(times->max_ns, 1'200'000);
}

TEST(TargetView, ProbesThatWereNotSentAndRepliesThatCameLateAreNotCounted) {
  Target target = new_target();
  for (unsigned result = 0; result < XF_RESULTS; ++result) target.state.results[result] = 1U << result;
  EXPECT_EQ(probes_sent(target), 1U + 2 + 4);
  EXPECT_EQ(probes_failed(target), 2U + 4);
}

TEST(TargetView, LossIsOfAsManyProbesAsThereWere) {
  EXPECT_EQ(loss_ratio(new_target()), std::nullopt);
  EXPECT_EQ(loss_ratio(down_target()), 0.15);
}

TEST(TargetView, LossIsOfTheLastHundredProbesAtMost) {
  Target target = up_target();
  EXPECT_EQ(loss_ratio(target), 0.0);
  target.state.history[0] = 1;
  target.state.history[1] = uint64_t{1} << 35;  // the hundredth
  EXPECT_EQ(loss_ratio(target), 0.02);
  target.state.history[1] = uint64_t{1} << 36;
  EXPECT_EQ(loss_ratio(target), 0.01);
  target.state.history[0] = target.state.history[1] = UINT64_MAX;
  EXPECT_EQ(loss_ratio(target), 1.0);
}

TEST(TargetView, FailuresWithoutAProbeThatWasSentAreLossToo) {
  Target target = new_target();
  target.state.results[XF_RESULT_UNRESOLVED] = 4;
  target.state.history[0] = 0b1111;
  EXPECT_EQ(loss_ratio(target), 1.0);
}

TEST(TargetView, AnErrorIsThatOfTheLastProbe) {
  Target target = down_target();
  EXPECT_EQ(error_text(target), "timeout");
  target.state.error = XF_CAUSE_ICMP_ERROR;
  target.state.icmp_type = 3;
  target.state.icmp_code = 1;
  EXPECT_EQ(error_text(target), "ICMP host unreachable");
  EXPECT_EQ(error_text(up_target()), "");
}

TEST(TargetView, TargetsAreCountedByWhatIsShown) {
  std::vector<Target> targets{up_target(), down_target(), new_target(), up_target()};
  targets[0].state.forced = XF_HEALTH_DOWN;
  const HealthCounts counts = count_health(targets);
  EXPECT_EQ(counts.up, 1U);
  EXPECT_EQ(counts.down, 2U);
  EXPECT_EQ(counts.unknown, 1U);
}

}  // namespace
}  // namespace xdpflowd
