// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/plan.h"

#include <gtest/gtest.h>

#include <chrono>

namespace xdpflowd {
namespace {

using namespace std::chrono_literals;

uint64_t slot(const Timeouts& configured, xf_table table, xf_timeout timeout) {
  return timeout_slots(configured)[static_cast<unsigned>(table) * XF_TIMEOUTS + timeout];
}

Timeouts all(std::chrono::nanoseconds value) {
  Timeouts timeouts;
  timeouts.fill(value);
  return timeouts;
}

InterfaceSettings entry(const std::string& name, const std::string& zone, std::optional<uint16_t> vlan = {}) {
  return {name, vlan, zone, AttachMode::automatic};
}

TEST(TimeoutSlots, EstablishedFlowsHaveTheConfiguredTimeouts) {
  auto configured = all(60s);
  configured[XF_TIMEOUT_TCP_ESTABLISHED] = 5 * 24h;
  EXPECT_EQ(slot(configured, XF_TABLE_ESTABLISHED, XF_TIMEOUT_TCP_ESTABLISHED), 432'000'000'000'000u);
  EXPECT_EQ(slot(configured, XF_TABLE_ESTABLISHED, XF_TIMEOUT_GENERIC), 60'000'000'000u);
}

TEST(TimeoutSlots, NoHalfOpenTcpFlowOutlivesSynSent) {
  auto configured = all(600s);
  configured[XF_TIMEOUT_TCP_SYN_SENT] = 20s;
  for (unsigned timeout = XF_TIMEOUT_TCP_SYN_SENT; timeout <= XF_TIMEOUT_TCP_CLOSE; ++timeout)
    EXPECT_EQ(slot(configured, XF_TABLE_HALF_OPEN, static_cast<xf_timeout>(timeout)), 20'000'000'000u)
        << timeout;
}

TEST(TimeoutSlots, ShorterHalfOpenTcpTimeoutsStay) {
  auto configured = all(600s);
  configured[XF_TIMEOUT_TCP_CLOSE] = 10s;
  EXPECT_EQ(slot(configured, XF_TABLE_HALF_OPEN, XF_TIMEOUT_TCP_CLOSE), 10'000'000'000u);
}

TEST(TimeoutSlots, NoHalfOpenUdpFlowOutlivesTheFirstTimeoutOfUdp) {
  auto configured = all(120s);
  configured[XF_TIMEOUT_UDP] = 30s;
  EXPECT_EQ(slot(configured, XF_TABLE_HALF_OPEN, XF_TIMEOUT_UDP_STREAM), 30'000'000'000u);
  EXPECT_EQ(slot(configured, XF_TABLE_HALF_OPEN, XF_TIMEOUT_GENERIC), 120'000'000'000u);
}

TEST(PlanInterfaces, EntriesOfOneDeviceBecomeOnePlan) {
  const auto plans =
      plan_interfaces({entry("lan0", "tenant", 10), entry("wan0", "default"), entry("lan0", "default")},
                      {{"default", 0}, {"tenant", 1}});
  ASSERT_EQ(plans.size(), 2u);
  EXPECT_EQ(plans[0].name, "lan0");
  EXPECT_EQ(plans[0].zone, 0);
  EXPECT_EQ(plans[0].vlans, (std::map<uint16_t, uint8_t>{{10, 1}}));
  EXPECT_EQ(plans[1].name, "wan0");
}

TEST(PlanInterfaces, TheModeIsThatOfTheEntryWithoutVlan) {
  auto untagged = entry("lan0", "default");
  untagged.mode = AttachMode::generic;
  const auto plans = plan_interfaces({entry("lan0", "default", 10), untagged}, {{"default", 0}});
  EXPECT_EQ(plans.at(0).mode, AttachMode::generic);
}

TEST(ZoneRules, ADeviceWithoutVlansHasOneRuleThatLooksNoFurther) {
  const auto rules = zone_rules_of({"wan0", AttachMode::automatic, 3, {}}, 7, 2);
  ASSERT_EQ(rules.size(), 1u);
  EXPECT_EQ(rules[0].key.ifindex, 7u);
  EXPECT_EQ(rules[0].key.vlan, 0);
  EXPECT_EQ(rules[0].rule.interface, 2);
  EXPECT_EQ(rules[0].rule.zone, 3);
  EXPECT_EQ(rules[0].rule.has_vlans, 0);
}

TEST(ZoneRules, VlansOfADeviceHaveRulesOfTheirOwnAndAreLookedFor) {
  const auto rules = zone_rules_of({"lan0", AttachMode::automatic, XF_NO_ZONE, {{10, 1}, {20, 2}}}, 7, 2);
  ASSERT_EQ(rules.size(), 3u);
  EXPECT_EQ(rules[0].rule.zone, XF_NO_ZONE);
  EXPECT_EQ(rules[0].rule.has_vlans, 1);
  EXPECT_EQ(rules[1].key.vlan, 10);
  EXPECT_EQ(rules[1].rule.zone, 1);
  EXPECT_EQ(rules[2].key.vlan, 20);
  EXPECT_EQ(rules[2].rule.interface, 2);
}

TEST(Sizes, AnLruElementIsThreeCacheLinesAndABucketSixteenBytes) {
  EXPECT_EQ(flow_table_bytes(1000), 1000u * 192 + 1024u * 16);
}

TEST(Sizes, TheEndedQueueStaysWithinItsBounds) {
  EXPECT_EQ(queue_sizes(100).ended, 4096u);
  EXPECT_EQ(queue_sizes(50'000).ended, 50'000u);
  EXPECT_EQ(queue_sizes(10'000'000).ended, 131'072u);
}

TEST(Sizes, EveryFlowOfEveryZoneFitsTheOrphansQueue) {
  EXPECT_EQ(queue_sizes(total_flows({{"a", 1000, 100, 16}, {"b", 2000, 200, 16}})).orphans, 3300u);
}

TEST(Sizes, BytesAreSaidInTheUnitOfTheirSize) {
  EXPECT_EQ(readable_bytes(1023), "1023 B");
  EXPECT_EQ(readable_bytes(1536), "1.5 KiB");
  EXPECT_EQ(readable_bytes(17'394'617'549), "16.2 GiB");
}

}  // namespace
}  // namespace xdpflowd
