// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/event_loop.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <stdexcept>
#include <vector>

#include "base/unique_fd.h"

namespace xdpflowd {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class EventLoopTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    pthread_sigmask(SIG_SETMASK, nullptr, &mask_before_);
    block_signals();
  }
  static void TearDownTestSuite() { pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr); }

  static EventLoop make_loop() {
    auto loop = EventLoop::create();
    EXPECT_TRUE(loop) << loop.error().message;
    return std::move(*loop);
  }

  EventLoop loop_ = make_loop();

 private:
  static inline sigset_t mask_before_;
};

TEST_F(EventLoopTest, ASignalReachesItsCallback) {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) {
    auto loop = make_loop();
    auto source = loop.on_signal(signal, [&] { loop.stop(signal); });
    ASSERT_TRUE(source) << source.error().message;
    raise(signal);
    auto exit_code = loop.run();
    ASSERT_TRUE(exit_code);
    EXPECT_EQ(*exit_code, signal);
  }
}

TEST_F(EventLoopTest, ASignalThatIsNotBlockedIsRefused) {
  auto source = loop_.on_signal(SIGUSR2, [] {});
  ASSERT_FALSE(source);
  EXPECT_THAT(source.error().message, HasSubstr("cannot receive signal 12"));
}

TEST_F(EventLoopTest, WritingToAClosedPipeIsAnErrorAndNoDeath) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  const UniqueFd writer(ends[1]);
  { const UniqueFd reader(ends[0]); }
  EXPECT_EQ(write(writer.get(), "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  sigset_t pipe_only;
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  int taken_back = 0;  // else it would strike when the mask is restored
  EXPECT_EQ(sigwait(&pipe_only, &taken_back), 0);
}

TEST_F(EventLoopTest, WorkForIdleTurnsLetsEverythingElseGoFirst) {
  int turns = 0;
  auto work = loop_.when_idle([&] {
    if (++turns == 10) raise(SIGUSR1);
  });
  auto source = loop_.on_signal(SIGUSR1, [&] { loop_.stop(turns); });
  ASSERT_TRUE(work && source);
  auto exit_code = loop_.run();
  ASSERT_TRUE(exit_code);
  EXPECT_EQ(*exit_code, 10);
}

TEST_F(EventLoopTest, WorkForIdleTurnsEndsWithItsSource) {
  int turns = 0;
  std::optional<EventSource> work;
  auto begun = loop_.when_idle([&] {
    if (++turns == 3) work.reset();
  });
  ASSERT_TRUE(begun);
  work.emplace(std::move(*begun));
  auto end = loop_.every(20ms, [&] { loop_.stop(); });
  ASSERT_TRUE(end && loop_.run());
  EXPECT_EQ(turns, 3);
}

TEST_F(EventLoopTest, ATimerFiresAgainAndAgain) {
  int fired = 0;
  auto timer = loop_.every(1ms, [&] {
    if (++fired == 3) loop_.stop();
  });
  ASSERT_TRUE(timer) << timer.error().message;
  EXPECT_TRUE(loop_.run());
  EXPECT_EQ(fired, 3);
}

TEST_F(EventLoopTest, ATimerNeedsAnInterval) {
  EXPECT_FALSE(loop_.every(0ms, [] {}));
  EXPECT_FALSE(loop_.every(-1ms, [] {}));
}

TEST_F(EventLoopTest, ADestroyedTimerFiresNoMore) {
  bool fired = false;
  {
    auto timer = loop_.every(1ms, [&] { fired = true; });
  }
  auto end = loop_.every(20ms, [&] { loop_.stop(); });
  EXPECT_TRUE(loop_.run());
  EXPECT_FALSE(fired);
}

TEST_F(EventLoopTest, ACallbackMayDestroyItsOwnSource) {
  std::optional<EventSource> own;
  std::vector<int> captured(100, 7);
  int sum = 0;
  auto timer = loop_.every(1ms, [&, captured] {
    own.reset();
    for (const int value : captured) sum += value;
    loop_.stop();
  });
  ASSERT_TRUE(timer);
  own.emplace(std::move(*timer));
  EXPECT_TRUE(loop_.run());
  EXPECT_EQ(sum, 700);
}

TEST_F(EventLoopTest, ASourceMayOutliveItsLoop) {
  std::optional<EventSource> source;
  {
    auto loop = make_loop();
    auto timer = loop.every(1ms, [] {});
    ASSERT_TRUE(timer);
    source.emplace(std::move(*timer));
  }
  source.reset();
}

TEST_F(EventLoopTest, WhatIsDueLaterHappensOnce) {
  int happened = 0;
  auto once = loop_.after(1ms, [&] { happened++; });
  ASSERT_TRUE(once) << once.error().message;
  auto end = loop_.every(20ms, [&] { loop_.stop(); });
  EXPECT_TRUE(loop_.run());
  EXPECT_EQ(happened, 1);
}

TEST_F(EventLoopTest, WhatIsDueLaterCanBeCalledOff) {
  bool happened = false;
  {
    auto once = loop_.after(1ms, [&] { happened = true; });
  }
  auto end = loop_.every(20ms, [&] { loop_.stop(); });
  EXPECT_TRUE(loop_.run());
  EXPECT_FALSE(happened);
}

TEST_F(EventLoopTest, WhatIsDueLaterMayBeDueAtOnceAndNotEarlier) {
  auto once = loop_.after(0ms, [&] { loop_.stop(7); });
  auto exit_code = loop_.run();
  ASSERT_TRUE(once && exit_code);
  EXPECT_EQ(*exit_code, 7);
  EXPECT_FALSE(loop_.after(-1ms, [] {}));
}

TEST_F(EventLoopTest, AReadableDescriptorReachesItsCallback) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  const UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  char got = 0;
  auto source = loop_.on_readable(reader.get(), [&] {
    EXPECT_EQ(read(reader.get(), &got, 1), 1);
    loop_.stop();
  });
  ASSERT_TRUE(source) << source.error().message;
  ASSERT_EQ(write(writer.get(), "x", 1), 1);
  EXPECT_TRUE(loop_.run());
  EXPECT_EQ(got, 'x');
}

TEST_F(EventLoopTest, ADescriptorIsWritableOnceThereIsRoom) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_NONBLOCK), 0);
  const UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  std::array<char, 4096> block{};
  while (write(writer.get(), block.data(), block.size()) > 0) {
  }
  int calls = 0;
  auto source = loop_.on_writable(writer.get(), [&] { ++calls, loop_.stop(); });
  ASSERT_TRUE(source) << source.error().message;
  auto drained = loop_.after(5ms, [&] {
    EXPECT_EQ(calls, 0);
    while (read(reader.get(), block.data(), block.size()) > 0) {
    }
  });
  EXPECT_TRUE(loop_.run());
  EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, AConnectionHangsUpWhenBothOfItsDirectionsAreClosed) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  bool half = true;
  auto source = loop_.on_hangup(ours.get(), [&] { loop_.stop(half ? 1 : 2); });
  ASSERT_TRUE(source) << source.error().message;
  ASSERT_EQ(write(theirs.get(), "unread", 6), 6);
  ASSERT_EQ(shutdown(theirs.get(), SHUT_WR), 0);
  auto closed = loop_.after(5ms, [&] {
    half = false;
    const UniqueFd gone = std::move(theirs);
  });
  auto exit_code = loop_.run();
  ASSERT_TRUE(exit_code);
  EXPECT_EQ(*exit_code, 2);
}

TEST_F(EventLoopTest, ABadDescriptorIsRefused) {
  EXPECT_FALSE(loop_.on_readable(-1, [] {}));
}

TEST_F(EventLoopTest, AnExceptionEndsTheLoopWithItsMessage) {
  auto timer = loop_.every(1ms, [] { throw std::runtime_error("disk on fire"); });
  auto exit_code = loop_.run();
  ASSERT_FALSE(exit_code);
  EXPECT_THAT(exit_code.error().message, HasSubstr("disk on fire"));
}

TEST_F(EventLoopTest, AMovedLoopStillHearsOfExceptions) {
  auto timer = loop_.every(1ms, [] { throw 42; });
  EventLoop moved = std::move(loop_);
  auto exit_code = moved.run();
  ASSERT_FALSE(exit_code);
  EXPECT_THAT(exit_code.error().message, HasSubstr("unknown type"));
}

TEST(NextDue, IsWholeIntervalsAfterTheLastOneAndInTheFuture) {
  struct Case {
    uint64_t due, interval, now, next;
  };
  for (const Case& c : {
           Case{1000, 100, 1000, 1100},  // on time
           Case{1000, 100, 1009, 1100},  // a little late: no drift
           Case{1000, 100, 1100, 1200},  // late by exactly one
           Case{1000, 100, 1957, 2000},  // several missed: no burst
           Case{1000, 100, 990, 1100},   // early, by a clock read before
       }) {
    EXPECT_EQ(next_due_us(c.due, c.interval, c.now), c.next) << "now " << c.now;
  }
}

}  // namespace
}  // namespace xdpflowd
