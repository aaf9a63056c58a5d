// SPDX-License-Identifier: GPL-2.0-or-later
// The event stream on real sockets, in one thread: clients let the loop turn while they wait.
#include "health/event_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <optional>

#include "base/unique_fd.h"
#include "unit/turning_loop.h"

namespace xdpflowd {
namespace {

namespace fs = std::filesystem;
using test::KeptLog;
using test::TemporaryFolder;
using test::TurningLoop;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

sockaddr_un address_of(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

UniqueFd listener_at(const fs::path& path, int type = SOCK_STREAM) {
  UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  const auto address = address_of(path);
  EXPECT_EQ(bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  listen(socket.get(), 1);
  return socket;
}

/// A program that listens to events.
class Listener {
 public:
  Listener(TurningLoop& loop, const fs::path& path)
      : loop_(loop), socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    const auto address = address_of(path);
    connected_ = connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }

  bool connected() const { return connected_; }
  /// Reads on until it has heard all of `text`.
  bool hears(const std::string& text) {
    return loop_.turns_until([&] { return read_all(), heard_.find(text) != std::string::npos; });
  }
  bool is_disconnected() {
    return loop_.turns_until([&] { return read_all(), ended_; });
  }
  void read_all() {
    std::array<char, 65536> buffer{};
    ssize_t got = 0;
    while ((got = recv(socket_.get(), buffer.data(), buffer.size(), 0)) > 0)
      heard_.append(buffer.data(), static_cast<size_t>(got));
    ended_ = got == 0 || errno != EAGAIN;
  }
  const std::string& heard() const { return heard_; }
  void say(const std::string& text) const { ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL); }
  void close_its_direction() const { shutdown(socket_.get(), SHUT_WR); }

 private:
  TurningLoop& loop_;
  UniqueFd socket_;
  std::string heard_;
  bool connected_ = false, ended_ = false;
};

struct EventSocketTest : testing::Test {
  void open() {
    auto opened = EventSocket::open(*loop, path, [this] { return states; });
    ASSERT_TRUE(opened) << opened.error().message;
    events.emplace(std::move(*opened));
  }
  std::string refusal() {
    auto opened = EventSocket::open(*loop, path, [this] { return states; });
    return opened ? "" : opened.error().message;
  }
  Listener listener() { return {loop, path}; }
  bool has_clients(size_t count) {
    return loop.turns_until([&] { return events->clients() == count; });
  }

  KeptLog log;
  TurningLoop loop;
  TemporaryFolder folder;
  fs::path path = folder / "events";
  std::vector<std::string> states = {R"({"event":"state","name":"gw-a"})"};
  std::optional<EventSocket> events;
};

TEST_F(EventSocketTest, WhoConnectsIsToldHowThingsAreAndThenTheNews) {
  open();
  events->publish("before");
  states = {"state 1", "state 2"};
  auto client = listener();
  ASSERT_TRUE(client.hears("state 2\n"));
  events->publish("news 1");
  events->publish("news 2");
  ASSERT_TRUE(client.hears("news 2\n"));
  EXPECT_EQ(client.heard(), "state 1\nstate 2\nnews 1\nnews 2\n");
}

TEST_F(EventSocketTest, AllHearTheNews) {
  open();
  std::vector<Listener> clients;
  for (int i = 0; i < 10; i++) clients.push_back(listener());
  ASSERT_TRUE(has_clients(10));
  events->publish("news");
  for (auto& client : clients) EXPECT_TRUE(client.hears("news\n"));
}

TEST_F(EventSocketTest, WithoutStatesAClientWaitsForTheNews) {
  states.clear();
  open();
  auto client = listener();
  ASSERT_TRUE(has_clients(1));
  events->publish("news");
  ASSERT_TRUE(client.hears("news\n"));
  EXPECT_EQ(client.heard(), "news\n");
}

TEST_F(EventSocketTest, StatesThatAreMoreThanTheBufferArriveWholeWithTheNewsAfterThem) {
  std::string expected;
  for (int i = 0; i < 10'000; i++) {
    states.push_back("state " + std::to_string(i) + std::string(200, '.'));
  }
  for (const auto& line : states) expected += line + "\n";
  open();
  auto client = listener();
  ASSERT_TRUE(has_clients(1));
  for (int i = 0; i < 100; i++) events->publish("news " + std::to_string(i));
  for (int i = 0; i < 100; i++) expected += "news " + std::to_string(i) + "\n";
  ASSERT_TRUE(client.hears("news 99\n"));
  EXPECT_TRUE(client.heard() == expected);
}

TEST_F(EventSocketTest, TenThousandPiecesOfNewsReachAClientThatReads) {
  open();
  auto client = listener();
  ASSERT_TRUE(client.hears("gw-a"));
  std::string expected = client.heard();
  for (int i = 0; i < 10'000; i++) {
    const std::string line = "news " + std::to_string(i) + std::string(300, '.');
    events->publish(line);
    expected += line + "\n";
    if (i % 100 == 0) client.read_all();
  }
  ASSERT_TRUE(client.hears("news 9999."));
  EXPECT_TRUE(client.heard() == expected);
  EXPECT_EQ(events->counters().slow_clients, 0u);
}

TEST_F(EventSocketTest, WhoDoesNotReadIsDisconnectedWhileOthersGoOn) {
  open();
  auto deaf = listener();
  auto client = listener();
  ASSERT_TRUE(has_clients(2));
  int published = 0;
  for (; events->clients() == 2; published++) {
    ASSERT_LT(published, 10'000);
    events->publish("news " + std::to_string(published) + std::string(300, '.'));
    client.read_all();
  }
  EXPECT_GT(published * 300, 256 * 1024);
  events->publish("last");
  EXPECT_TRUE(client.hears("last\n"));
  EXPECT_TRUE(deaf.is_disconnected());
  EXPECT_EQ(events->counters().slow_clients, 1u);
  EXPECT_THAT(log.lines("warning "),
              ElementsAre("event socket " + path.string() + ": process " + std::to_string(getpid()) +
                          " does not read fast enough and is disconnected"));
}

TEST_F(EventSocketTest, WhoLeavesIsForgottenAndThatIsNoComplaint) {
  open();
  {
    auto client = listener();
    ASSERT_TRUE(has_clients(1));
    client.say("unread");
  }
  EXPECT_TRUE(has_clients(0));
  {
    auto client = listener();
    ASSERT_TRUE(has_clients(1));
  }
  events->publish(std::string(100'000, 'x'));  // before the loop has heard that it left
  EXPECT_EQ(events->clients(), 0u);
  EXPECT_EQ(events->counters().slow_clients, 0u);
  EXPECT_EQ(log.text(), "");
}

TEST_F(EventSocketTest, WhoHasNothingToSayGoesOnListening) {
  open();
  auto client = listener();
  client.say("hello?\n");
  client.close_its_direction();
  ASSERT_TRUE(client.hears("gw-a"));
  for (int i = 0; i < 3; i++) loop.turn();
  events->publish("news");
  EXPECT_TRUE(client.hears("news\n"));
}

TEST_F(EventSocketTest, MoreThanSixtyFourAreRefusedUntilOneLeaves) {
  open();
  std::vector<Listener> clients;
  for (int i = 0; i < 64; i++) {
    clients.push_back(listener());
    ASSERT_TRUE(has_clients(clients.size()));
  }
  for (int i = 0; i < 2; i++) EXPECT_TRUE(listener().is_disconnected());
  EXPECT_EQ(events->counters().refused_clients, 2u);
  EXPECT_THAT(log.lines("warning "),
              ElementsAre("event socket " + path.string() + ": has 64 clients; others are refused"));
  clients.pop_back();
  EXPECT_TRUE(has_clients(63));
  EXPECT_TRUE(listener().hears("gw-a"));
}

TEST_F(EventSocketTest, WithoutDescriptorsClientsWaitAndTheLoopDoesNotSpin) {
  open();
  auto client = listener();
  auto timer =
      (*loop).every(std::chrono::hours(1), [] {});  // as the daemon has: the loop has a descriptor for it
  rlimit former{};
  getrlimit(RLIMIT_NOFILE, &former);
  const rlimit none{0, former.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  for (int i = 0; i < 20; i++) loop.turn();
  setrlimit(RLIMIT_NOFILE, &former);
  EXPECT_THAT(log.lines("error "), ElementsAre(AllOf(HasSubstr("Too many open files"), HasSubstr("wait"))));
  EXPECT_TRUE(client.hears("gw-a"));
}

TEST_F(EventSocketTest, TheGroupMayConnectWhateverTheUmask) {
  const mode_t former = umask(0077);
  open();
  umask(former);
  EXPECT_EQ(fs::status(path).permissions(), fs::perms{0660});
}

TEST_F(EventSocketTest, TheSocketOfADeadDaemonIsReplaced) {
  { const UniqueFd dead = listener_at(path); }
  ASSERT_TRUE(fs::is_socket(path));
  open();
  EXPECT_TRUE(listener().hears("gw-a"));
}

TEST_F(EventSocketTest, TheSocketOfALivingProcessIsRefusedAndLeftAlone) {
  const UniqueFd alive = listener_at(path);
  EXPECT_EQ(refusal(), "event socket " + path.string() +
                           ": another process listens there; stop it or choose another path");
  EXPECT_TRUE(listener().connected());
}

TEST_F(EventSocketTest, ASocketOfAnotherTypeIsRefusedAndLeftAlone) {
  const UniqueFd alive = listener_at(path, SOCK_DGRAM);
  EXPECT_THAT(refusal(), HasSubstr(path.string() + ": a socket is there already"));
  EXPECT_TRUE(fs::is_socket(path));
}

TEST_F(EventSocketTest, AnythingElseIsRefusedAndLeftAlone) {
  const std::string why = "something is there that is neither a socket nor a FIFO";
  std::ofstream(path) << "precious";
  EXPECT_THAT(refusal(), AllOf(HasSubstr(path.string()), HasSubstr(why)));
  EXPECT_EQ(fs::file_size(path), 8u);
  fs::remove(path);
  fs::create_directory(path);
  EXPECT_THAT(refusal(), HasSubstr(why));
  fs::remove(path);
  fs::create_symlink("elsewhere", path);
  EXPECT_THAT(refusal(), HasSubstr(why));
  EXPECT_TRUE(fs::is_symlink(path));
}

TEST_F(EventSocketTest, APathThatCannotBeIsRefusedWithTheReason) {
  path = folder / "missing" / "events";
  EXPECT_THAT(refusal(), AllOf(HasSubstr(path.string()), HasSubstr("No such file or directory")));
  path = folder / std::string(200, 'x');
  EXPECT_THAT(refusal(), HasSubstr("between 1 and 107 bytes"));
  path = "";
  EXPECT_THAT(refusal(), HasSubstr("between 1 and 107 bytes"));
}

TEST_F(EventSocketTest, TheEndRemovesTheSocketAndDisconnects) {
  open();
  auto client = listener();
  ASSERT_TRUE(client.hears("gw-a"));
  events.reset();
  EXPECT_FALSE(fs::exists(fs::symlink_status(path)));
  EXPECT_TRUE(client.is_disconnected());
}

TEST_F(EventSocketTest, TheEndLeavesTheSocketOfASuccessorAlone) {
  open();
  fs::rename(path, folder / "old");  // keeps its inode from being used again
  const UniqueFd successor = listener_at(path);
  events.reset();
  EXPECT_TRUE(fs::is_socket(path));
  EXPECT_TRUE(listener().connected());
}

TEST_F(EventSocketTest, SurvivesAMove) {
  open();
  auto client = listener();
  ASSERT_TRUE(client.hears("gw-a"));
  EventSocket moved = std::move(*events);
  events.reset();
  moved.publish("news");
  EXPECT_TRUE(client.hears("news\n"));
}

}  // namespace
}  // namespace xdpflowd
