// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/notify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace xdpflowd {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint64_t second_ns = 1'000'000'000;

/// A service manager that keeps what it is told.
class NotifyTest : public testing::Test {
 protected:
  NotifyTest() : manager_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socklen_t size = sizeof(address.sun_family);  // the kernel chooses an abstract name
    if (bind(manager_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0)
      throw std::runtime_error("bind");
    size = sizeof(address);
    getsockname(manager_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    const size_t length = size - offsetof(sockaddr_un, sun_path) - 1;
    setenv("NOTIFY_SOCKET", ("@" + std::string(address.sun_path + 1, length)).c_str(), 1);
  }
  ~NotifyTest() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) unsetenv(name);
  }

  std::vector<std::string> heard() const {
    std::vector<std::string> messages;
    std::array<char, 512> text{};
    for (ssize_t got; (got = recv(manager_.get(), text.data(), text.size(), 0)) > 0;)
      messages.emplace_back(text.data(), static_cast<size_t>(got));
    return messages;
  }

  uint64_t now_ns_ = 1000 * second_ns;
  Notifier notifier_{[this] { return now_ns_; }};

 private:
  UniqueFd manager_;
};

TEST_F(NotifyTest, EachStepIsTold) {
  notifier_.ready();
  notifier_.alive();
  notifier_.stopping();
  EXPECT_THAT(heard(), ElementsAre("READY=1", "WATCHDOG=1", "STOPPING=1"));
}

TEST_F(NotifyTest, AReloadSaysWhenItBegan) {
  notifier_.reloading();
  EXPECT_THAT(heard(), ElementsAre("RELOADING=1\nMONOTONIC_USEC=1000000000"));
}

TEST_F(NotifyTest, TheSameStatusIsToldOnce) {
  notifier_.status("3 flows");
  now_ns_ += 60 * second_ns;
  notifier_.status("3 flows");
  EXPECT_THAT(heard(), ElementsAre("STATUS=3 flows"));
}

TEST_F(NotifyTest, AStatusThatChangesAllTheTimeIsToldEveryFiveSeconds) {
  for (int i = 0; i < 11; ++i, now_ns_ += second_ns) notifier_.status(std::to_string(i) + " flows");
  EXPECT_THAT(heard(), ElementsAre("STATUS=0 flows", "STATUS=5 flows", "STATUS=10 flows"));
}

TEST_F(NotifyTest, AStatusIsOneLine) {
  notifier_.status("a\nSTOPPING=1");
  EXPECT_THAT(heard(), ElementsAre("STATUS=a STOPPING=1"));
}

TEST_F(NotifyTest, WithoutAManagerNothingIsToldAndNothingFails) {
  unsetenv("NOTIFY_SOCKET");
  notifier_.ready();
  EXPECT_THAT(heard(), IsEmpty());
}

TEST_F(NotifyTest, SignsOfLifeAreDueThreeTimesInTheManagersLimit) {
  EXPECT_FALSE(Notifier::alive_interval());
  setenv("WATCHDOG_USEC", "30000000", 1);
  EXPECT_EQ(Notifier::alive_interval(), 10s);
  setenv("WATCHDOG_PID", "1", 1);  // for another process
  EXPECT_FALSE(Notifier::alive_interval());
}

}  // namespace
}  // namespace xdpflowd
