// SPDX-License-Identifier: GPL-2.0-or-later
// The tests' own tools: a helper that hides a failure would hide the product's.
#include "support/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace xdpflowd::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(Run, KeepsStatusAndBothOutputs) {
  const Outcome outcome = run({"sh", "-c", "echo good; echo bad >&2; exit 3"});
  EXPECT_EQ(outcome.status, 3);
  EXPECT_EQ(outcome.out, "good\n");
  EXPECT_EQ(outcome.err, "bad\n");
}

TEST(Run, GivesInput) {
  EXPECT_EQ(run({"cat"}, 20s, "hello").out, "hello");
}

TEST(Run, HasNoInputUnlessGiven) {
  EXPECT_EQ(run({"cat"}).status, 0);
}

TEST(Run, TakesOutputLargerThanAPipe) {
  EXPECT_EQ(run({"head", "-c", "1000000", "/dev/zero"}).out.size(), 1000000U);
}

TEST(Run, KillsWhatRunsOutOfTime) {
  EXPECT_EQ(run({"sleep", "1000"}, 10ms).status, 124);
}

TEST(Run, TellsOfASignal) {
  EXPECT_EQ(run({"sh", "-c", "kill -9 $$"}).status, 128 + SIGKILL);
}

TEST(Run, ThrowsIfThereIsNoSuchProgram) {
  EXPECT_THROW(run({"/nonexistent/program"}), std::runtime_error);
}

TEST(Run, KillsWhatAProgramLeavesBehind) {
  const Outcome outcome = run({"sh", "-c", "sleep 1000 & echo $!"});
  const pid_t left = std::stoi(outcome.out);
  EXPECT_TRUE(eventually(5s, [&] { return !is_alive(left); }));
}

TEST(Run, GivesAProgramTheSignalsOfAShell) {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  EXPECT_EQ(run({"grep", "SigBlk", "/proc/self/status"}).out, "SigBlk:\t0000000000000000\n");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(MustRun, ThrowsWithTheCommandAndItsStderr) {
  try {
    must_run({"sh", "-c", "echo no route >&2; exit 2"});
    FAIL() << "did not throw";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("ended with 2: no route"));
  }
}

TEST(BackgroundProgram, IsKilledWithItsObject) {
  pid_t pid = 0;
  {
    const Background program({"sleep", "1000"});
    pid = program.pid();
    EXPECT_TRUE(is_alive(pid));
  }
  EXPECT_FALSE(is_alive(pid));
}

TEST(BackgroundProgram, SurvivesAMove) {
  Background program({"sleep", "1000"});
  Background moved = std::move(program);
  EXPECT_TRUE(moved.is_running());
}

TEST(BackgroundProgram, IsHeardWhileItRuns) {
  Background program({"sh", "-c", "echo ready >&2; sleep 1000"});
  EXPECT_TRUE(program.wait_for_output("ready", 5s));
  EXPECT_TRUE(program.is_running());
}

TEST(BackgroundProgram, IsNotWaitedForOnceItEnded) {
  Background program({"true"});
  EXPECT_FALSE(program.wait_for_output("ready", 1h));
}

TEST(BackgroundProgram, GetsSignals) {
  Background program({"sleep", "1000"});
  program.signal(SIGINT);
  EXPECT_EQ(program.wait(5s), 128 + SIGINT);
}

TEST(Eventually, SaysFalseWhenTimeIsOver) {
  EXPECT_FALSE(eventually(10ms, [] { return false; }));
}

TEST(Eventually, AsksUntilItIsTrue) {
  int asked = 0;
  EXPECT_TRUE(eventually(5s, [&] { return ++asked == 3; }));
  EXPECT_EQ(asked, 3);
}

TEST(Guardian, KillsAProgramWhoseTestWasKilled) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const pid_t test = fork();
  ASSERT_GE(test, 0);
  if (test == 0) {
    const Background program({"sleep", "1000"});
    const pid_t pid = program.pid();
    (void)!write(writer.get(), &pid, sizeof(pid));
    raise(SIGKILL);
  }
  pid_t program = 0;
  ASSERT_EQ(read(reader.get(), &program, sizeof(program)), static_cast<ssize_t>(sizeof(program)));
  waitpid(test, nullptr, 0);
  EXPECT_TRUE(eventually(5s, [&] { return !is_alive(program); }));
}

}  // namespace
}  // namespace xdpflowd::test
