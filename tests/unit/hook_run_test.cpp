// SPDX-License-Identifier: GPL-2.0-or-later
// One run of a hook: how it is started, heard and ended.
#include "health/hook_run.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "support/process.h"
#include "unit/hooks_fixture.h"

namespace xdpflowd {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using test::eventually;
using test::is_alive;
using test::TemporaryFolder;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;
using testing::UnorderedElementsAre;

using HookRunTest = test::HooksTest;

std::filesystem::path script(const std::filesystem::path& path, const std::string& text, mode_t mode) {
  std::ofstream(path) << text;
  chmod(path.c_str(), mode);
  return path;
}

TEST_F(HookRunTest, ArgumentsArriveAsTheyAreForThereIsNoShell) {
  EXPECT_THAT(run({"/usr/bin/printf", "[%s]\n", "a b", "$HOME", "*", "; id", "", "'\""}),
              ElementsAre("[a b]", "[$HOME]", "[*]", "[; id]", "[]", "['\"]"));
  EXPECT_EQ(counters().ok, 1u);
}

TEST_F(HookRunTest, TheEnvironmentIsTheChangeAndAPathAndNothingElse) {
  setenv("XDPFLOWD_SECRET", "of the daemon", 1);
  TargetNews about = news();
  about.rtt_ns = 1'000'412'000;
  EXPECT_THAT(
      run({"/usr/bin/env"}, about),
      UnorderedElementsAre("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                           "XDPFLOWD_TARGET=gw-a", "XDPFLOWD_ADDRESS=192.0.2.1", "XDPFLOWD_OLD=up",
                           "XDPFLOWD_NEW=down", "XDPFLOWD_REASON=timeout", "XDPFLOWD_RTT=1.000412000"));
  unsetenv("XDPFLOWD_SECRET");
}

TEST_F(HookRunTest, ARoundTripTimeThatIsNotKnownIsEmpty) {
  EXPECT_THAT(run({"/usr/bin/env"}), Contains("XDPFLOWD_RTT="));
}

TEST_F(HookRunTest, ThereIsNothingToRead) {
  run({"/bin/cat"});
  EXPECT_EQ(counters().ok, 1u);
}

TEST_F(HookRunTest, HasASessionOfItsOwnAndBeginsInTheRootFolder) {
  const auto lines = run(shell("echo $$ $$; cut -d' ' -f5,6 /proc/$$/stat; pwd"));
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(lines[1], lines[0]);
  EXPECT_EQ(lines[2], "/");
}

TEST_F(HookRunTest, NoSignalIsBlockedOrIgnored) {
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  block_signals();
  const auto former = signal(SIGUSR2, SIG_IGN);
  EXPECT_THAT(run({"/bin/grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"}),
              ElementsAre("SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"));
  signal(SIGUSR2, former);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_F(HookRunTest, NoDescriptorIsInherited) {
  const UniqueFd open_for_children(open("/dev/null", O_RDONLY));  // without O_CLOEXEC
  const UniqueFd far_away(fcntl(open_for_children.get(), F_DUPFD, 500));
  ASSERT_TRUE(far_away);
  EXPECT_THAT(run({"/bin/ls", "/proc/self/fd"}), ElementsAre("0", "1", "2", "3"));  // 3: what ls reads
}

TEST_F(HookRunTest, OutputIsLoggedLineByLineWithTheTargetsName) {
  run(shell("echo one; echo two; printf three; echo bad >&2"));
  EXPECT_THAT(said(), ElementsAre("one", "two", "three"));
  EXPECT_THAT(log.lines("warning "), ElementsAre("target gw-a: hook: bad"));
}

TEST_F(HookRunTest, OutputWithoutEndIsCutAndHoldsUpNobody) {
  EXPECT_THAT(run({"/usr/bin/seq", "1", "100000"}), SizeIs(64));
  EXPECT_EQ(said().back(), "64");
  EXPECT_THAT(complaints(),
              ElementsAre("target gw-a: hook wrote more than 64 lines; the rest is not logged"));
  EXPECT_EQ(counters().ok, 1u);
}

TEST_F(HookRunTest, ALongLineIsCut) {
  const auto lines = run(shell("head -c 100000 /dev/zero | tr '\\0' x; echo; echo short"));
  EXPECT_THAT(lines, ElementsAre(std::string(1024, 'x') + "...", "short"));
}

TEST_F(HookRunTest, AFailureIsOneLineThatSaysHow) {
  run(shell("exit 3"));
  run(shell("kill -9 $$"));
  EXPECT_THAT(complaints(), ElementsAre("target gw-a: hook /bin/sh failed: exit status 3",
                                        "target gw-a: hook /bin/sh failed: killed by signal 9 (Killed)"));
  EXPECT_EQ(counters().failed, 2u);
}

TEST_F(HookRunTest, AProgramThatDoesNotExistIsOneLineThatSaysSo) {
  run({"/nonexistent/page-me"});
  EXPECT_THAT(complaints(), ElementsAre(AllOf(HasSubstr("target gw-a: hook /nonexistent/page-me cannot be "),
                                              HasSubstr("No such file or directory"))));
  EXPECT_EQ(counters().not_started, 1u);
  EXPECT_EQ(counters().failed, 0u);
}

TEST_F(HookRunTest, AFileThatIsNoProgramIsOneLineThatSaysWhy) {
  const TemporaryFolder folder;
  run({script(folder / "no-x", "#!/bin/sh\n", 0644)});
  run({script(folder / "no-interpreter", "echo hello\n", 0755)});
  run({folder / ""});
  EXPECT_THAT(complaints(),
              ElementsAre(HasSubstr("Permission denied"), HasSubstr("begins with a line such as"),
                          HasSubstr("Permission denied")));
  EXPECT_EQ(counters().not_started, 3u);
}

TEST_F(HookRunTest, WhatRunsOutOfTimeIsKilledWithAllThatItStarted) {
  runner->set_limits({.time = 2s});
  const auto begin = steady_clock::now();
  const auto lines = run(shell("sleep 1000 & (sleep 1000 & echo $!); echo $!; wait"));
  EXPECT_LT(steady_clock::now() - begin, 30s);
  EXPECT_THAT(complaints(), ElementsAre("target gw-a: hook /bin/sh did not end in time and is killed"));
  EXPECT_EQ(counters().timeout, 1u);
  ASSERT_THAT(lines, SizeIs(2));
  for (const auto& line : lines) EXPECT_TRUE(eventually(20s, [&] { return !is_alive(std::stoi(line)); }));
}

TEST_F(HookRunTest, WhatRunsOutOfTimeIsAskedFirst) {
  runner->set_limits({.time = 2s, .grace = 60s});
  EXPECT_THAT(run(shell("trap 'echo cleaned up; exit 0' TERM; sleep 1000 & wait")),
              ElementsAre("cleaned up"));
  EXPECT_EQ(counters().timeout, 1u);
}

TEST_F(HookRunTest, WhatDoesNotListenIsKilledAfterTheGrace) {
  runner->set_limits({.time = 2s, .grace = 100ms});
  const auto lines = run(shell("trap '' TERM; sleep 1000 & echo $!; wait"));
  EXPECT_EQ(counters().timeout, 1u);
  EXPECT_TRUE(eventually(20s, [&] { return !is_alive(std::stoi(lines.at(0))); }));
}

TEST_F(HookRunTest, ATimeLimitHoldsForWhatWritesAllTheTime) {
  runner->set_limits({.time = 100ms});
  EXPECT_THAT(run({"/usr/bin/yes"}), SizeIs(64));
  EXPECT_EQ(counters().timeout, 1u);
}

TEST_F(HookRunTest, WhatItLeavesBehindIsKilled) {
  const auto lines = run(shell("sleep 1000 & echo $!"));
  EXPECT_EQ(counters().ok, 1u);
  EXPECT_TRUE(eventually(20s, [&] { return !is_alive(std::stoi(lines.at(0))); }));
}

TEST_F(HookRunTest, IsOverWithItsProgramThoughAnotherHoldsItsOutput) {
  const auto lines = run(shell("setsid sleep 1000 & echo $!"));
  ASSERT_THAT(lines, SizeIs(1));
  const auto left = test::Undo::process_group(std::stoi(lines[0]));
  EXPECT_EQ(counters().ok, 1u);
}

TEST_F(HookRunTest, TheEndOfTheRunnerTellsHooksAndWaitsForTheirEnd) {
  const TemporaryFolder folder;
  runner->run(
      shell("trap 'echo bye > " + (folder / "bye").string() + "; exit' TERM; sleep 1000 & echo ready; wait"),
      news());
  hears();
  runner.reset();
  EXPECT_TRUE(std::filesystem::exists(folder / "bye"));
}

TEST_F(HookRunTest, TheEndOfTheRunnerIsNotHeldUpByHooksThatDoNotListen) {
  runner->run(shell("trap '' TERM; echo $$; while :; do sleep 1000; done"), news());
  const pid_t deaf = std::stoi(hears());
  const auto begin = steady_clock::now();
  runner.reset();
  EXPECT_LT(steady_clock::now() - begin, 10s);
  EXPECT_TRUE(eventually(20s, [&] { return !is_alive(deaf); }));
  EXPECT_THAT(complaints(), ElementsAre("target gw-a: its hook did not end with the daemon and is killed"));
}

TEST_F(HookRunTest, AnUnknownUserMeansThatNothingIsRun) {
  const TemporaryFolder folder;
  runner->set_limits({.user = "no-such-user"});
  run({"/bin/touch", folder / "ran"});
  EXPECT_FALSE(std::filesystem::exists(folder / "ran"));
  EXPECT_THAT(complaints(),
              ElementsAre("target gw-a: hook /bin/touch not run: there is no user \"no-such-user\""));
  EXPECT_EQ(counters().not_started, 1u);
}

TEST_F(HookRunTest, RunsAsTheUserWithItsGroupsAndWithoutPrivileges) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  runner->set_limits({.user = "nobody"});
  EXPECT_THAT(run({"/usr/bin/id"}),
              ElementsAre("uid=65534(nobody) gid=65534(nogroup) groups=65534(nogroup)"));
  const auto status = run({"/bin/grep", "-E", "^(Cap(Prm|Eff|Amb)|Uid)", "/proc/self/status"}, news("gw-b"));
  EXPECT_THAT(status, ElementsAre("Uid:\t65534\t65534\t65534\t65534", "CapPrm:\t0000000000000000",
                                  "CapEff:\t0000000000000000", "CapAmb:\t0000000000000000"));
}

TEST_F(HookRunTest, AHookOfAnotherUserIsKilledTooWhenItsTimeIsOver) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  runner->set_limits({.time = 2s, .user = "nobody"});
  run(shell("sleep 1000"));
  EXPECT_EQ(counters().timeout, 1u);
}

/// As somebody who may not change who it is: root stays root only where it was asked for.
TEST_F(HookRunTest, AUserThatItCannotBecomeMeansThatNothingIsRun) {
  const TemporaryFolder folder;
  const uid_t former = geteuid();
  ASSERT_EQ(seteuid(former == 0 ? 65534 : former), 0);
  runner->set_limits({.user = "daemon"});
  run({"/bin/touch", folder / "ran"});
  ASSERT_EQ(seteuid(former), 0);
  EXPECT_FALSE(std::filesystem::exists(folder / "ran"));
  EXPECT_THAT(complaints(), ElementsAre("target gw-a: hook /bin/touch cannot become its user: Operation not "
                                        "permitted"));
  EXPECT_EQ(counters().not_started, 1u);
}

}  // namespace
}  // namespace xdpflowd
