// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include <chrono>
#include <string>
#include <vector>

#include "settings/difference.h"

namespace xdpflowd {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TargetSettings named(const std::string& name, const std::string& address) {
  TargetSettings target;
  target.name = name;
  target.address = address;
  return target;
}

class TargetDifference : public testing::Test {
 protected:
  TargetDifference() {
    running.targets = {named("gw-a", "192.0.2.1"), named("gw-b", "2001:db8::1")};
    wanted = running;
  }

  /// One line for each change; all of them apply live.
  std::vector<std::string> lines() const {
    std::vector<std::string> found;
    for (const auto& change : difference(running, wanted)) {
      EXPECT_TRUE(applies_live(change.setting)) << change.key;
      found.push_back(text_of(change));
    }
    return found;
  }

  Settings running, wanted;
};

TEST_F(TargetDifference, OfTheSameInAnotherOrderIsNothing) {
  std::swap(wanted.targets[0], wanted.targets[1]);
  EXPECT_THAT(lines(), IsEmpty());
}

TEST_F(TargetDifference, NamesTargetsThatComeAndGo) {
  wanted.targets.erase(wanted.targets.begin());
  wanted.targets.push_back(named("web", "192.0.2.80"));
  wanted.targets.back().probe = ProbeKind::tcp;
  wanted.targets.back().port = 443;
  EXPECT_THAT(
      lines(),
      ElementsAre("target gw-a: address \"192.0.2.1\", probe \"icmp\", interval 1s -> none",
                  "target web: none -> address \"192.0.2.80\", probe \"tcp\", port 443, interval 1s"));
}

TEST_F(TargetDifference, IsOneChangeForEachTargetWithTheKeysThatDiffer) {
  wanted.targets[0].fall = 5;
  wanted.targets[0].timeout = 100ms;
  wanted.targets[1].on_change = {"/bin/notify", "b"};
  EXPECT_THAT(lines(), ElementsAre("target gw-a: timeout 300ms, fall 3 -> timeout 100ms, fall 5",
                                   "target gw-b: on_change [] -> on_change [\"/bin/notify\", \"b\"]"));
}

TEST_F(TargetDifference, KnowsEveryKey) {
  auto& [name, address, probe, port, interval, timeout, down_interval, jitter, fall, rise, initial, source,
         interface, description, weight, refused_is_up, payload, expect, on_change] = wanted.targets[0];
  address = "192.0.2.9";
  probe = ProbeKind::udp;
  port = 53;
  interval = 2s;
  timeout = 1s;
  down_interval = 3s;
  jitter = 0s;
  fall = rise = weight = 7;
  initial = InitialState::up;
  source = "192.0.2.2";
  interface = "eth0";
  description = "x";
  refused_is_up = true;
  payload = "PING";
  expect = "\x00\xff"s;
  on_change = {"/bin/true"};
  EXPECT_THAT(
      lines(),
      ElementsAre(
          "target gw-a: address \"192.0.2.1\", probe \"icmp\", port 0, interval 1s, timeout 300ms, "
          "down_interval 1s, jitter 1s, fall 3, rise 2, initial \"unknown\", source \"\", interface \"\", "
          "description \"\", weight 1, on_refused \"down\", payload \"\", expect \"\", on_change [] -> "
          "address \"192.0.2.9\", probe \"udp\", port 53, interval 2s, timeout 1s, down_interval 3s, "
          "jitter 0s, fall 7, rise 7, initial \"up\", source \"192.0.2.2\", interface \"eth0\", "
          "description \"x\", weight 7, on_refused \"up\", payload \"PING\", expect_hex \"00ff\", "
          "on_change [\"/bin/true\"]"));
}

TEST_F(TargetDifference, OfLongTextsIsAChangeThoughTheirBeginningsAreTheSame) {
  running.targets[0].payload = std::string(512, 'a');
  wanted.targets[0].payload = std::string(511, 'a') + "b";
  const auto found = lines();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_LT(found[0].size(), 300u);
}

TEST_F(TargetDifference, OfSectionsIsByKey) {
  wanted.metrics.per_target_histograms = true;
  wanted.health = {"/run/events.sock", "nobody", 5s};
  EXPECT_THAT(lines(), ElementsAre("metrics.per_target_histograms: false -> true",
                                   "health.events: \"\" -> \"/run/events.sock\"",
                                   "health.hook_user: \"\" -> \"nobody\"", "health.hook_timeout: 10s -> 5s"));
}

TEST_F(TargetDifference, OfManyIsFoundQuickly) {
  constexpr int count = 100'000;
  constexpr auto wide_margin = 100s;  // what is quadratic takes hours
  for (int i = 0; i < count; ++i) running.targets.push_back(named("t" + std::to_string(i), "192.0.2.1"));
  for (int i = count; i-- > 0;) wanted.targets.push_back(named("t" + std::to_string(i), "192.0.2.2"));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(difference(running, wanted), SizeIs(count));
  EXPECT_LT(std::chrono::steady_clock::now() - start, wide_margin);
}

}  // namespace
}  // namespace xdpflowd
