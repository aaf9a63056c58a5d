// SPDX-License-Identifier: GPL-2.0-or-later
// The event stream where somebody has made a FIFO.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/unique_fd.h"
#include "health/event_socket.h"
#include "unit/turning_loop.h"

namespace xdpflowd {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

struct EventFifoTest : testing::Test {
  EventFifoTest() {
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    auto opened = EventSocket::open(*loop, path, [] { return std::vector<std::string>{"state"}; });
    EXPECT_TRUE(opened) << opened.error().message;
    events.emplace(std::move(*opened));
  }

  UniqueFd reader() const { return UniqueFd(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)); }
  static std::string read_all(const UniqueFd& fifo) {
    std::string all;
    std::array<char, 65536> buffer{};
    for (ssize_t got; (got = read(fifo.get(), buffer.data(), buffer.size())) > 0;)
      all.append(buffer.data(), static_cast<size_t>(got));
    return all;
  }
  uint64_t lost() const { return events->counters().lost_lines; }

  test::KeptLog log;
  test::TurningLoop loop;
  test::TemporaryFolder folder;
  fs::path path = folder / "events";
  std::optional<EventSocket> events;
};

TEST_F(EventFifoTest, AReaderHearsTheNews) {
  const UniqueFd fifo = reader();
  events->publish("news 1");
  events->publish("news 2");
  EXPECT_EQ(read_all(fifo), "news 1\nnews 2\n");
}

TEST_F(EventFifoTest, WithoutAReaderTheNewsIsKeptForTheNext) {
  events->publish("news 1");
  {
    const UniqueFd fifo = reader();
    EXPECT_EQ(read_all(fifo), "news 1\n");
  }
  events->publish("news 2");
  EXPECT_EQ(read_all(reader()), "news 2\n");
  EXPECT_EQ(lost(), 0u);
}

TEST_F(EventFifoTest, FullItLosesWholeLinesWhichAreCountedAndNobodyWaits) {
  const std::string line(299, 'x');
  for (int i = 0; i < 10'000; i++) events->publish(line);
  const UniqueFd fifo = reader();
  const std::string kept = read_all(fifo);
  EXPECT_EQ(kept.size() % 300, 0u);
  EXPECT_GT(kept.size(), 0u);
  EXPECT_EQ(lost(), 10'000 - kept.size() / 300);
  EXPECT_THAT(log.lines(), ElementsAre(HasSubstr("is full; events are lost and counted")));

  events->publish("again");
  EXPECT_EQ(read_all(fifo), "again\n");
  EXPECT_THAT(log.lines(), SizeIs(2));
  EXPECT_THAT(log.lines().back(),
              HasSubstr("is read again; events lost meanwhile: " + std::to_string(lost())));
}

TEST_F(EventFifoTest, ALineThatCannotBeWrittenInOnePieceIsLost) {
  events->publish(std::string(PIPE_BUF, 'x'));
  EXPECT_EQ(lost(), 1u);
  events->publish(std::string(PIPE_BUF - 1, 'x'));
  EXPECT_EQ(lost(), 1u);
}

TEST_F(EventFifoTest, IsNotRemovedAtTheEnd) {
  events.reset();
  EXPECT_TRUE(fs::is_fifo(path));
}

}  // namespace
}  // namespace xdpflowd
