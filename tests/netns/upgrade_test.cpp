// SPDX-License-Identifier: GPL-2.0-or-later
// A daemon that brings another program takes over the flows of the one before; packets meet no gap.
#include <bpf/bpf.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "base/unique_fd.h"
#include "daemon_lab.h"
#include "older_build.h"
#include "sockets.h"
#include "xdpflow/abi.h"

namespace xdpflowd::test {
namespace {

class Upgrade : public PlainLab {
 protected:
  /// What is loaded counts as built from other objects from now on.
  bool is_over() const {
    return eventually(patience, [&] { return status()["upgrade"] == Json(); });
  }
};

constexpr const char* hour = "[timeouts]\nudp = \"1h\"\n";

TEST_F(Upgrade, FlowsGoOnAndTheProgramBeforeIsFreed) {
  auto daemon = start_daemon({.rest = hour});
  const auto connection = open_tcp(lab, Lab::server4, 8080);
  connection.send_up(100'000);
  const FrameSender client(lab.client, "client0");
  for (uint16_t i = 0; i < 50; ++i) client.send(udp().from(Lab::client4, 4000 + i).to(Lab::server4, 53));
  ASSERT_TRUE(becomes(51));
  const MetricsPage page = scrape();
  const Json program = attached("lan0");
  kill_daemon(daemon);
  pretend_to_be_older(bpffs);

  auto next = start_daemon({.rest = hour});
  EXPECT_NE(attached("lan0"), program);
  EXPECT_EQ(status()["generation"], 2);
  EXPECT_EQ(scrape().fell_since(page), "");
  EXPECT_EQ(count(), 51U);
  connection.send_up(100'000);
  EXPECT_TRUE(eventually(patience, [&] {
    return the_flow({"--protocol", "tcp"})["bytes_forward"] > 200'000;
  }));
  EXPECT_TRUE(next.wait_for_output("the kernel has freed the program of the generation before", patience))
      << status()["upgrade"].dump() << next.err() << next.out();
  EXPECT_TRUE(is_over());
  EXPECT_EQ(scrape().imbalance(), 0);
}

TEST_F(Upgrade, TheDaemonKeepsNoProgramOpenButItsOwn) {
  auto daemon = start_daemon();
  kill_daemon(daemon);
  pretend_to_be_older(bpffs);
  auto next = start_daemon();
  std::set<std::string> programs;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(next.pid()) + "/fdinfo")) {
    std::ifstream info(entry.path());
    for (std::string word; info >> word;)
      if (word == "prog_id:" && info >> word) programs.insert(word);
  }
  EXPECT_LE(programs.size(), 4U) << "xdpflow, admin, probe and census";
}

TEST_F(Upgrade, TimersOfTheProgramBeforeStillFireAndNewOnesKeepTheirDeadline) {
  auto daemon = start_daemon({.rest = "[timeouts]\nudp = \"4s\"\n"});
  const FrameSender client(lab.client, "client0");
  for (uint16_t i = 0; i < 20; ++i) client.send(udp().from(Lab::client4, 4000 + i).to(Lab::server4, 53));
  ASSERT_TRUE(becomes(20));
  kill_daemon(daemon);
  pretend_to_be_older(bpffs);
  auto next = start_daemon({.rest = "[timeouts]\nudp = \"4s\"\n"});
  ASSERT_TRUE(records_become(20));
  for (const Json& record : records()) {
    EXPECT_EQ(record["reason"], "idle");
    EXPECT_LT(record["duration_seconds"], 30);
    EXPECT_GE(record["duration_seconds"], 4);
  }
}

TEST_F(Upgrade, OneThatIsCutShortIsFinishedByTheNextDaemon) {
  auto daemon = start_daemon({.rest = hour});
  const FrameSender client(lab.client, "client0");
  for (uint16_t i = 0; i < 50; ++i) client.send(udp().from(Lab::client4, 4000 + i).to(Lab::server4, 53));
  ASSERT_TRUE(becomes(50));
  kill_daemon(daemon);
  for (int round = 0; round < 3; ++round) {
    pretend_to_be_older(bpffs);
    auto next = start_daemon({.rest = hour});
    kill_daemon(next);
  }
  const auto last = start_daemon({.rest = hour});
  EXPECT_TRUE(is_over());
  EXPECT_EQ(status()["generation"], 4);
  EXPECT_EQ(count(), 50U);
}

TEST_F(Upgrade, NoPacketIsMissedOrCountedTwice) {
  auto daemon = start_daemon({.rest = hour});
  const FrameSender client(lab.client, "client0");
  uint64_t sent = 0;
  const auto send_for_a_while = [&] {
    for (int i = 0; i < 200; ++i, ++sent) client.send(udp().from(Lab::client4, 4000).to(Lab::server4, 53));
  };
  send_for_a_while();
  kill_daemon(daemon);
  for (int round = 0; round < 3; ++round) {
    pretend_to_be_older(bpffs);
    Background next(daemon_command({.rest = hour}));
    for (int i = 0; i < 1000 && !next.wait_for_output("is ready", std::chrono::milliseconds(1)); ++i)
      send_for_a_while();
    ASSERT_TRUE(next.wait_for_output("is ready", patience));
    kill_daemon(next);
  }
  EXPECT_TRUE(eventually(patience,
                         [&] {
                           return the_flow({"--port", "4000"})["packets_forward"] == sent;
                         }))
      << sent << " sent, " << the_flow({"--port", "4000"}).dump();
}

}  // namespace
}  // namespace xdpflowd::test
