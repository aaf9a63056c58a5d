// SPDX-License-Identifier: GPL-2.0-or-later
// Which hooks are run, when, and how many at once.
#include "health/hooks.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/unique_fd.h"
#include "unit/hooks_fixture.h"

namespace xdpflowd {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto up = TargetState::up, down = TargetState::down, unknown = TargetState::unknown;

/// Hooks that say which change they are for, and then wait to be let go.
struct HookQueueTest : test::HooksTest {
  HookQueueTest() {
    const std::string path = folder / "gate";
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    gate = UniqueFd(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
    waits = shell("echo $XDPFLOWD_OLD $XDPFLOWD_NEW $XDPFLOWD_REASON; read go < " + path);
  }

  /// Each takes one newline.
  void let_go(size_t hooks) const {
    const std::string newlines(hooks, '\n');
    EXPECT_EQ(write(gate.get(), newlines.data(), hooks), static_cast<ssize_t>(hooks));
  }
  size_t begun() const { return log.lines("info target ").size(); }

  test::TemporaryFolder folder;
  UniqueFd gate;
  std::vector<std::string> waits;
};

TEST_F(HookQueueTest, NothingIsRunWhereNoProgramIsConfigured) {
  runner->run({}, news());
  EXPECT_EQ(runner->running() + runner->waiting(), 0u);
}

TEST_F(HookQueueTest, OneAtATimeOfATargetAndTheLatestStateWins) {
  runner->run(waits, news("gw-a", up, down));
  EXPECT_EQ(hears(), "up down timeout");
  runner->run(waits, news("gw-a", down, up));
  runner->run(waits, news("gw-a", up, unknown));
  EXPECT_EQ(runner->running(), 1u);
  EXPECT_EQ(runner->waiting(), 1u);
  let_go(2);
  EXPECT_TRUE(all_ended());
  EXPECT_THAT(said(), ElementsAre("up down timeout", "down unknown timeout"));
  EXPECT_EQ(counters().ok, 2u);
  EXPECT_EQ(counters().superseded, 1u);
}

TEST_F(HookQueueTest, AChangeBackToWhatTheProgramWasToldIsNotRun) {
  runner->run(waits, news("gw-a", up, down));
  hears();
  runner->run(waits, news("gw-a", down, up));
  runner->run(waits, news("gw-a", up, down));
  EXPECT_EQ(runner->waiting(), 0u);
  let_go(1);
  EXPECT_TRUE(all_ended());
  EXPECT_THAT(said(), SizeIs(1));
  EXPECT_EQ(counters().superseded, 2u);
}

/// Though news was lost between the two.
TEST_F(HookQueueTest, AChangeToWhatTheProgramWasToldIsNotRunWhereverItBegan) {
  runner->run(waits, news("gw-a", up, down));
  hears();
  runner->run(waits, news("gw-a", unknown, down));
  EXPECT_EQ(runner->waiting(), 0u);
  runner->run(waits, news("gw-a", unknown, up));
  let_go(2);
  EXPECT_TRUE(all_ended());
  EXPECT_THAT(said(), ElementsAre("up down timeout", "down up timeout"));
}

TEST_F(HookQueueTest, AChangeAfterAChangeBackIsRun) {
  runner->run(waits, news("gw-a", up, down));
  hears();
  runner->run(waits, news("gw-a", down, up));
  runner->run(waits, news("gw-a", up, down));
  runner->run(waits, news("gw-a", down, up));
  let_go(2);
  EXPECT_TRUE(all_ended());
  EXPECT_THAT(said(), ElementsAre("up down timeout", "down up timeout"));
}

TEST_F(HookQueueTest, ChangesThatFollowEachOtherAreAllRun) {
  let_go(3);
  for (int i = 0; i < 3; i++) {
    runner->run(waits, news("gw-a", i % 2 == 0 ? up : down, i % 2 == 0 ? down : up));
    EXPECT_TRUE(all_ended());
  }
  EXPECT_THAT(said(), ElementsAre("up down timeout", "down up timeout", "up down timeout"));
  EXPECT_EQ(counters().superseded, 0u);
}

TEST_F(HookQueueTest, AHookThatHangsHoldsUpNoOtherTarget) {
  runner->run(waits, news("gw-a"));
  hears();
  runner->run({"/bin/echo", "hello"}, news("gw-b"));
  EXPECT_TRUE(loop.turns_until([&] { return counters().ok == 1; }));
  EXPECT_THAT(said("gw-b"), ElementsAre("hello"));
  EXPECT_EQ(runner->running(), 1u);
}

TEST_F(HookQueueTest, AHookThatFailsIsFollowedByTheNextChange) {
  runner->run(shell("echo one; read go < " + (folder / "gate").string() + "; exit 1"),
              news("gw-a", up, down));
  hears();
  runner->run({"/bin/echo", "two"}, news("gw-a", down, up));
  let_go(1);
  EXPECT_TRUE(all_ended());
  EXPECT_THAT(said(), ElementsAre("one", "two"));
  EXPECT_EQ(counters().failed, 1u);
  EXPECT_EQ(counters().ok, 1u);
}

TEST_F(HookQueueTest, ATargetThatRecoveredWhileItWaitedForItsTurnIsNotRun) {
  runner->set_limits({.at_once = 1});
  runner->run(waits, news("gw-a"));
  hears();
  runner->run(waits, news("gw-b", up, down));
  runner->run(waits, news("gw-b", down, up));
  let_go(1);
  EXPECT_TRUE(all_ended());
  EXPECT_THAT(said("gw-b"), IsEmpty());
  EXPECT_EQ(counters().superseded, 2u);
}

TEST_F(HookQueueTest, WhoWaitsForLongestIsNext) {
  runner->set_limits({.at_once = 1});
  let_go(100);
  std::vector<std::string> expected;
  for (int i = 0; i < 5; i++) {
    const std::string name = "gw-" + std::to_string(i);
    runner->run(waits, news(name));
    expected.push_back(name + ": hook: up down timeout");
  }
  EXPECT_TRUE(all_ended());
  EXPECT_EQ(log.lines("info target "), expected);
}

TEST_F(HookQueueTest, SixteenAtOnceAndTheOthersWait) {
  for (int i = 0; i < 20; i++) runner->run(waits, news("gw-" + std::to_string(i)));
  EXPECT_TRUE(loop.turns_until([&] { return begun() == 16; }));
  for (int i = 0; i < 10; i++) loop.turn();
  EXPECT_EQ(begun(), 16u);
  EXPECT_EQ(runner->running(), 16u);
  EXPECT_EQ(runner->waiting(), 4u);
  let_go(1);
  EXPECT_TRUE(loop.turns_until([&] { return begun() == 17; }));
  EXPECT_EQ(runner->running(), 16u);
  let_go(19);
  EXPECT_TRUE(all_ended());
  EXPECT_EQ(counters().ok, 20u);
}

TEST_F(HookQueueTest, TenThousandChangesAtOnceNeitherStartTenThousandProgramsNorStopTheLoop) {
  const auto begin = steady_clock::now();
  for (int i = 0; i < 10'000; i++) runner->run(waits, news("gw-" + std::to_string(i)));
  EXPECT_LT(steady_clock::now() - begin, 5s);
  EXPECT_TRUE(loop.turns_until([&] { return begun() == 16; }));
  EXPECT_EQ(runner->waiting(), 10'000u - 16);
  let_go(150);
  steady_clock::duration longest{};
  while (counters().ok < 150) {
    const auto turn = steady_clock::now();
    loop.turn();
    longest = std::max(longest, steady_clock::now() - turn);
    ASSERT_LE(runner->running(), 16u);
    ASSERT_LT(turn - begin, 120s);
  }
  EXPECT_LT(longest, 5s);
}

TEST_F(HookQueueTest, TenThousandHooksThatCannotBeStartedDoNotStopTheLoop) {
  runner->set_limits({.user = "no-such-user"});
  for (int i = 0; i < 10'000; i++) runner->run(waits, news("gw-" + std::to_string(i)));
  int ticks = 0;
  auto timer = (*loop).every(1ms, [&] { ticks++; });
  ASSERT_TRUE(timer);
  EXPECT_TRUE(all_ended());
  EXPECT_EQ(counters().not_started, 10'000u);
  EXPECT_GT(ticks, 10);
}

TEST_F(HookQueueTest, EachChangeIsCountedOnce) {
  let_go(100);
  for (int i = 0; i < 99; i++) {
    const auto state = static_cast<TargetState>(i % 3);
    runner->run(waits, news("gw-" + std::to_string(i % 2), state, static_cast<TargetState>((i + 1) % 3)));
    if (i % 5 == 0) loop.turn();
  }
  EXPECT_TRUE(all_ended());
  EXPECT_EQ(counters().ok + counters().superseded, 99u);
  EXPECT_GT(counters().ok, 0u);
  EXPECT_GT(counters().superseded, 0u);
}

TEST_F(HookQueueTest, WhatWaitsAtTheEndIsNotRunAndTheLogSaysSo) {
  runner->set_limits({.at_once = 1});
  for (int i = 0; i < 3; i++) runner->run(waits, news("gw-" + std::to_string(i)));
  EXPECT_TRUE(loop.turns_until([&] { return begun() == 1; }));
  runner.reset();
  for (int i = 0; i < 5; i++) loop.turn();
  EXPECT_EQ(begun(), 1u);
  EXPECT_THAT(complaints(), ElementsAre("2 hooks that had waited for their turn are not run"));
}

}  // namespace
}  // namespace xdpflowd
