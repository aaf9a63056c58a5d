// SPDX-License-Identifier: GPL-2.0-or-later
// The data plane outlives the daemon, and the next daemon goes on with it.
#include <gmock/gmock.h>

#include "daemon_lab.h"
#include "sockets.h"

namespace xdpflowd::test {
namespace {

using ::testing::HasSubstr;

constexpr const char* only_lan = "[[interface]]\nname = \"lan0\"\n";

class Life : public PlainLab {
 protected:
  /// Packets from the client that the flow of this port has counted.
  uint64_t forwarded(uint16_t port) const {
    return the_flow({"--port", std::to_string(port)})["packets_forward"];
  }
};

TEST_F(Life, WithTheDaemonKilledFlowsStillAppearChangeAndExpire) {
  auto daemon = start_daemon({.rest = "[timeouts]\nudp = \"1s\"\n"});
  auto before = open_tcp(lab, Lab::server4, 8080);
  before.send_up(10'000);
  ASSERT_TRUE(becomes(1, {"--table", "established"}));
  kill_daemon(daemon);
  EXPECT_FALSE(status()["daemon"]["running"]);

  const uint64_t counted = forwarded(8080);
  before.send_up(10'000);
  EXPECT_TRUE(eventually(patience, [&] { return forwarded(8080) > counted; }));
  const auto after = open_tcp(lab, Lab::server6, 8081);
  after.send_up(10);
  EXPECT_TRUE(becomes(1, {"--port", "8081", "--state", "ESTABLISHED"})) << flows().dump(1);
  before.close();
  EXPECT_TRUE(becomes(1, {"--port", "8080", "--state", "TIME_WAIT"})) << flows().dump(1);

  const auto client = udp_socket(lab.client, Lab::client4, 4000);
  send_udp(client, Lab::server4, 53, 10);
  EXPECT_TRUE(becomes(1, {"--protocol", "udp"}));
  EXPECT_TRUE(becomes(0, {"--protocol", "udp"}));
}

TEST_F(Life, TheNextDaemonGoesOnWithFlowsCountersAndTheSameProgram) {
  auto daemon = start_daemon();
  const auto connection = open_tcp(lab, Lab::server4, 8080);
  connection.send_up(100'000);
  EXPECT_EQ(try_connect(lab.client, Lab::server4, 8081), ECONNREFUSED);
  must_ctl({"flush", "--port", "8081"});
  ASSERT_TRUE(becomes(1, {"--table", "established"}));
  const MetricsPage page = scrape();
  const Json program = attached("lan0"), flow = the_flow(), generation = status()["generation"];
  ASSERT_NE(program, Json());
  kill_daemon(daemon);

  const auto next = start_daemon();
  EXPECT_EQ(scrape().fell_since(page), "");
  EXPECT_EQ(attached("lan0"), program);
  EXPECT_EQ(status()["generation"], generation);
  for (const char* kept : {"source_port", "state", "packets_forward", "bytes_forward", "packets_reverse"})
    EXPECT_EQ(the_flow()[kept], flow[kept]) << kept;
  connection.send_up(100'000);
  EXPECT_TRUE(eventually(patience, [&] { return the_flow()["bytes_forward"] > 200'000; }));
}

TEST_F(Life, CountersNeverFallOverRestartsUnderTraffic) {
  MetricsPage last;
  const auto connection = open_tcp(lab, Lab::server4, 8080);
  for (int round = 0; round < 3; ++round) {
    auto daemon = start_daemon();
    connection.send_up(50'000);
    must_ctl({"flush"});
    const MetricsPage now = scrape();
    EXPECT_EQ(now.fell_since(last), "");
    EXPECT_EQ(now.imbalance(), 0);
    last = now;
    connection.send_up(50'000);
    if (round == 1)
      EXPECT_EQ(stop_daemon(daemon), 0);
    else
      kill_daemon(daemon);
    connection.send_up(50'000);
  }
}

TEST_F(Life, SigtermStopsTheDaemonAndLeavesTheDataPlaneAtWork) {
  auto daemon = start_daemon();
  const Json program = attached("lan0");
  EXPECT_EQ(stop_daemon(daemon), 0);
  EXPECT_EQ(attached("lan0"), program);
  const auto connection = open_tcp(lab, Lab::server4, 8080);
  EXPECT_TRUE(becomes(1));
  EXPECT_FALSE(status()["daemon"]["running"]);
}

TEST_F(Life, ASecondDaemonOnTheSameStateIsRefused) {
  auto daemon = start_daemon();
  for (const char* listen : {"127.0.0.1:9742", "127.0.0.1:9743"}) {
    const Outcome second = run_daemon({.listen = listen});
    EXPECT_EQ(second.status, 1);
    EXPECT_THAT(second.err + second.out,
                HasSubstr("another xdpflowd (pid " + std::to_string(daemon.pid()) + ")"));
  }
  EXPECT_TRUE(daemon.is_running());
  EXPECT_EQ(status()["daemon"]["pid"], daemon.pid());
}

TEST_F(Life, AnInterfaceThatLeftTheConfigurationIsDetached) {
  auto daemon = start_daemon();
  stop_daemon(daemon);
  const auto next = start_daemon({.interfaces = only_lan});
  EXPECT_EQ(attached("wan0"), Json());
  EXPECT_NE(attached("lan0"), Json());
  EXPECT_EQ(interface_status("wan0")["mode"], "detached");
}

TEST_F(Life, AnInterfaceThatJoinsTheConfigurationIsAttached) {
  auto daemon = start_daemon({.interfaces = only_lan});
  EXPECT_EQ(attached("wan0"), Json());
  auto connection = open_tcp(lab, Lab::server4, 8080);
  ASSERT_TRUE(becomes(1, {"--state", "ESTABLISHED"})) << flows().dump(1);
  EXPECT_EQ(the_flow()["direction"], "one-way");
  stop_daemon(daemon);

  const auto next = start_daemon();
  EXPECT_NE(attached("wan0"), Json());
  connection.send_down(1000);
  EXPECT_TRUE(eventually(patience, [&] { return the_flow()["direction"] == "both"; })) << flows().dump(1);
}

TEST_F(Life, ChangedTimeoutsAreThoseOfTheNextFlow) {
  auto daemon = start_daemon({.rest = "[timeouts]\nudp = \"1h\"\n"});
  stop_daemon(daemon);
  const auto next = start_daemon({.rest = "[timeouts]\nudp = \"1s\"\n"});
  const auto client = udp_socket(lab.client, Lab::client4, 4000);
  send_udp(client, Lab::server4, 53, 10);
  EXPECT_TRUE(becomes(1));
  EXPECT_TRUE(becomes(0));
}

}  // namespace
}  // namespace xdpflowd::test
