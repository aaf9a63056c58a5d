// SPDX-License-Identifier: GPL-2.0-or-later
// SIGHUP: what is different in the file is applied to a running daemon, and said.
#include <gmock/gmock.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>

#include "daemon_lab.h"
#include "sockets.h"

namespace xdpflowd::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ReloadTest : public PlainLab {
 protected:
  static std::string log(const Background& daemon) { return daemon.err() + daemon.out(); }

  /// SIGHUP with this file; `outcome` is the line to wait for.
  void reload(Background& daemon, const DaemonConfig& config, const std::string& outcome) const {
    write_config(config);
    daemon.signal(SIGHUP);
    if (!daemon.wait_for_output(outcome, patience))
      throw std::runtime_error("no \"" + outcome + "\" in the log:\n" + log(daemon));
  }

  /// UDP flows from the client, one for each port.
  void make_flows(uint16_t first_port, uint16_t number) const {
    const FrameSender client(lab.client, "client0");
    for (uint16_t i = 0; i < number; ++i)
      client.send(udp().from(Lab::client4, first_port + i).to(Lab::server4, 53));
    if (!becomes(number)) throw std::runtime_error("the flows do not appear");
  }
};

constexpr const char* hour = "[timeouts]\nudp = \"1h\"\n";
constexpr const char* second = "[timeouts]\nudp = \"1s\"\n";

TEST_F(ReloadTest, AShorterTimeoutReachesFlowsThatAreThere) {
  auto daemon = start_daemon({.rest = hour});
  make_flows(4000, 20);
  reload(daemon, {.rest = second}, "flow timers set anew");
  EXPECT_THAT(log(daemon), AllOf(HasSubstr("timeouts.udp: 1h -> 1s"), HasSubstr("reloaded: 1 of 1")));
  EXPECT_THAT(log(daemon), HasSubstr("20 flow timers"));
  EXPECT_TRUE(becomes(0));
}

TEST_F(ReloadTest, AShorterTimeoutReachesEveryFlowOfAFullHouse) {
  // More than are read before the first timers are set, by several threads where there are CPUs.
  constexpr uint16_t number = 40'000;
  const std::string room = "[zone.default]\nmax_half_open = 131072\n";
  auto daemon = start_daemon({.rest = hour + room});
  make_flows(10'000, number);
  reload(daemon, {.rest = second + room}, "flow timers set anew");
  EXPECT_THAT(log(daemon), HasSubstr("40000 flow timers"));
  EXPECT_TRUE(becomes(0));
  EXPECT_TRUE(records_become(number));
}

TEST_F(ReloadTest, ALongerTimeoutReachesThemToo) {
  // Long enough for a reload on a slow machine.
  auto daemon = start_daemon({.rest = "[timeouts]\nudp = \"5s\"\n"});
  make_flows(4000, 5);
  reload(daemon, {.rest = hour}, "reloaded: 1 of 1");
  EXPECT_TRUE(eventually(
      patience, [&] { return scrape().at("xdpflowd_timer_callbacks_total{result=\"rearmed\"}") >= 5; }));
  EXPECT_EQ(count(), 5U);
}

TEST_F(ReloadTest, ABadFileChangesNothingAndItsLineIsNamed) {
  auto daemon = start_daemon({.rest = hour});
  make_flows(4000, 1);
  reload(daemon, {.daemon = "log_level = \"debug\"", .rest = "[timeouts]\nudp = \"1 s\"\n"},
         "reload refused, nothing is changed");
  EXPECT_THAT(log(daemon), HasSubstr("xdpflowd.toml:13:7: timeouts.udp"));
  EXPECT_THAT(log(daemon), Not(HasSubstr("log_level:")));
  EXPECT_EQ(count(), 1U);
  std::filesystem::remove(folder.file("xdpflowd.toml"));
  daemon.signal(SIGHUP);
  EXPECT_TRUE(daemon.wait_for_output("No such file", patience));
  reload(daemon, {.rest = second}, "reloaded: 1 of 1");
}

TEST_F(ReloadTest, MetricsMoveToANewAddress) {
  auto daemon = start_daemon();
  reload(daemon, {.listen = "127.0.0.1:9743"}, "reloaded: 1 of 1");
  EXPECT_THAT(log(daemon), HasSubstr("metrics.listen: \"127.0.0.1:9742\" -> \"127.0.0.1:9743\""));
  EXPECT_EQ(http_get(lab.router, "127.0.0.1", 9743, "/metrics").status, 200);
  EXPECT_EQ(try_connect(lab.router, "127.0.0.1", 9742), ECONNREFUSED);
  reload(daemon, {.listen = ""}, "-> \"\"");
  EXPECT_TRUE(
      eventually(patience, [&] { return try_connect(lab.router, "127.0.0.1", 9743) == ECONNREFUSED; }));
  reload(daemon, {}, "\"\" -> \"127.0.0.1:9742\"");
  EXPECT_EQ(http_get(lab.router, "127.0.0.1", 9742, "/metrics").status, 200);
}

TEST_F(ReloadTest, MetricsMoveToAnotherAddressOfTheSamePort) {
  auto daemon = start_daemon({.listen = "0.0.0.0:9742"});
  reload(daemon, {}, "reloaded: 1 of 1");
  EXPECT_EQ(http_get(lab.router, "127.0.0.1", 9742, "/metrics").status, 200);
  EXPECT_EQ(try_connect(lab.router, Lab::wan4, 9742), ECONNREFUSED);
  reload(daemon, {.listen = "0.0.0.0:9742"}, "-> \"0.0.0.0:9742\"");
  EXPECT_EQ(http_get(lab.router, Lab::wan4, 9742, "/metrics").status, 200);
}

TEST_F(ReloadTest, AnAddressThatCannotBeHadLeavesTheOldOne) {
  auto daemon = start_daemon();
  reload(daemon, {.daemon = "log_level = \"debug\"", .listen = "192.0.2.99:9742"}, "reloaded: 1 of 2");
  EXPECT_THAT(log(daemon), HasSubstr("not applied, the old value stays"));
  EXPECT_EQ(http_get(lab.router, "127.0.0.1", 9742, "/metrics").status, 200);
}

TEST_F(ReloadTest, RecordsGoToAnotherFileAndNoneIsLost) {
  auto daemon = start_daemon();
  make_flows(4000, 3);
  must_ctl({"flush"});
  reload(daemon, {.records = folder.file("other.jsonl")}, "reloaded: 1 of 1");
  make_flows(5000, 2);
  must_ctl({"flush"});
  EXPECT_TRUE(eventually(patience, [&] { return records("other.jsonl").size() >= 2; }));
  EXPECT_TRUE(eventually(patience, [&] { return records().size() + records("other.jsonl").size() == 5; }));
}

TEST_F(ReloadTest, ARecordsFileThatCannotBeOpenedLeavesTheOldOne) {
  auto daemon = start_daemon();
  reload(daemon, {.records = folder.file("gone/records.jsonl")}, "reloaded: 0 of 1");
  EXPECT_THAT(log(daemon), HasSubstr("not applied, the old value stays"));
  make_flows(4000, 3);
  must_ctl({"flush"});
  EXPECT_TRUE(records_become(3));
}

TEST_F(ReloadTest, RecordsAreTurnedOffAndOn) {
  auto daemon = start_daemon();
  reload(daemon, {.records = ""}, "-> \"\"");
  make_flows(4000, 3);
  must_ctl({"flush"});
  reload(daemon, {}, "records.file: \"\" ->");
  make_flows(5000, 2);
  must_ctl({"flush"});
  EXPECT_TRUE(records_become(2));
  EXPECT_EQ(records().size(), 2U);
  EXPECT_EQ(scrape().sum("xdpflowd_lost_total"), 0);
}

TEST_F(ReloadTest, WhatNeedsARestartIsNamedAndTheRestApplied) {
  auto daemon = start_daemon();
  reload(
      daemon,
      {.daemon = "dispatcher = \"off\"", .rest = "[zone.default]\nmax_flows = 70000\npromote_packets = 5\n"},
      "reloaded: 2 of 3");
  EXPECT_THAT(log(daemon),
              HasSubstr("daemon.dispatcher: \"auto\" -> \"off\": not applied; restart xdpflowd for it, "
                        "no flow is lost"));
  EXPECT_EQ(status()["zones"][0]["promote_packets"], 5);
}

TEST_F(ReloadTest, AnotherStateDirIsAnotherDataPlaneAndSaysSo) {
  auto daemon = start_daemon();
  reload(daemon, {.state_dir = bpffs.path() + "/other"}, "reloaded: 0 of 1");
  EXPECT_THAT(log(daemon), HasSubstr("not applied; it takes `xdpflowctl unload`, which ends all flows"));
}

TEST_F(ReloadTest, AnInterfaceGoesAndComesBackWithItsCounters) {
  auto daemon = start_daemon();
  make_flows(4000, 3);
  reload(daemon, {.interfaces = "[[interface]]\nname = \"wan0\"\n"}, "reloaded: 1 of 1");
  EXPECT_THAT(log(daemon), HasSubstr("interface lan0: zone \"default\", mode \"auto\" -> none"));
  EXPECT_EQ(attached("lan0"), Json());
  EXPECT_EQ(interface_status("lan0")["mode"], "detached");
  reload(daemon, {}, "none -> zone \"default\", mode \"auto\"");
  EXPECT_TRUE(eventually(patience, [&] { return interface_status("lan0")["mode"] == "native"; }));
  const FrameSender client(lab.client, "client0");
  client.send(udp().from(Lab::client4, 4000).to(Lab::server4, 53));
  EXPECT_TRUE(eventually(patience, [&] { return the_flow({"--port", "4000"})["packets_forward"] == 2; }));
  EXPECT_EQ(scrape().at("xdpflowd_packets_total{interface=\"lan0\",verdict=\"created\"}"), 3);
}

TEST_F(ReloadTest, AZoneComesWithItsInterfaceAndGoes) {
  auto daemon = start_daemon();
  make_flows(4000, 3);
  const std::string red = "[[interface]]\nname = \"lan0\"\nzone = \"red\"\n";
  reload(daemon, {.interfaces = red, .rest = "[zone.red]\nmax_flows = 5000\n"}, "reloaded: 4 of 4");
  const FrameSender client(lab.client, "client0");
  client.send(udp().from(Lab::client4, 4000).to(Lab::server4, 53));
  EXPECT_TRUE(becomes(1, {"--zone", "red"})) << log(daemon);
  EXPECT_EQ(count({"--zone", "default"}), 3U);
  reload(daemon, {}, "max_half_open 131072 -> none");
  ASSERT_TRUE(eventually(patience, [&] { return interface_status("lan0")["zone"] == "default"; }));
  client.send(udp().from(Lab::client4, 4000).to(Lab::server4, 53));
  EXPECT_TRUE(eventually(patience, [&] {
    return the_flow({"--zone", "default", "--port", "4000"})["packets_forward"] == 2;
  }));
  EXPECT_EQ(count({"--zone", "red"}), 1U);
  EXPECT_THAT(log(daemon),
              HasSubstr("zone.red is no longer configured: its flows expire, its tables stay until"));
}

TEST_F(ReloadTest, ADifferentModeIsTakenOnAndTheFlowsGoOn) {
  auto daemon = start_daemon();
  make_flows(4000, 3);
  reload(
      daemon,
      {.interfaces = "[[interface]]\nname = \"lan0\"\nmode = \"generic\"\n[[interface]]\nname = \"wan0\"\n"},
      "reloaded: 1 of 1");
  EXPECT_EQ(interface_status("lan0")["mode"], "generic");
  EXPECT_EQ(interface_status("wan0")["mode"], "native");
  EXPECT_EQ(count(), 3U);
}

TEST_F(ReloadTest, SignalsInARowEndWithTheLastFile) {
  auto daemon = start_daemon({.rest = hour});
  make_flows(4000, 20);
  for (const char* timeout : {"30m", "20m", "10m"}) {
    write_config({.rest = std::string("[timeouts]\nudp = \"") + timeout + "\"\n"});
    daemon.signal(SIGHUP);
  }
  reload(daemon, {.rest = second}, "-> 1s");
  daemon.signal(SIGHUP);
  EXPECT_TRUE(becomes(0));
  EXPECT_TRUE(daemon.wait_for_output("nothing is different", patience));
}

TEST_F(ReloadTest, ATableGrowsAndShrinksUnderItsFlows) {
  auto daemon = start_daemon({.rest = hour});
  make_flows(4000, 800);
  reload(daemon, {.rest = std::string(hour) + "[zone.default]\nmax_half_open = 200000\n"},
         "table half_open is resized: 800 flows were moved");
  EXPECT_EQ(status()["zones"][0]["max_half_open"], 200'000);
  EXPECT_EQ(count(), 800U);
  const FrameSender client(lab.client, "client0");
  client.send(udp().from(Lab::client4, 4000).to(Lab::server4, 53));
  EXPECT_TRUE(eventually(patience, [&] { return the_flow({"--port", "4000"})["packets_forward"] == 2; }));
  reload(daemon, {.rest = std::string(hour) + "[zone.default]\nmax_half_open = 512\n"},
         "has room for 512 from now on: the 288 seen least recently will be evicted");
  EXPECT_TRUE(eventually(patience, [&] { return count() <= 512; }));
  EXPECT_TRUE(eventually(patience, [&] { return scrape().imbalance() == 0; }));
  EXPECT_EQ(records().size(), 0U);
}

TEST_F(ReloadTest, AListThatIsWrittenWhileItsTableIsReplacedSaysThatItIsNotAll) {
  auto daemon = start_daemon({.rest = hour});
  make_flows(4000, 4000);
  // Who reads it takes the first line and nothing more until it is told to.
  const std::string go_on = folder.file("go on");
  const std::string list = std::string(XDPFLOWCTL) + " --state-dir " + bpffs.state_dir() + " flows --json";
  auto listing =
      lab.router.start({"bash", "-c",
                        list + " | { read -r; echo begun; until [[ -e '" + go_on +
                            "' ]]; do sleep 0.05; done; cat >/dev/null; }; exit ${PIPESTATUS[0]}"});
  ASSERT_TRUE(listing.wait_for_output("begun", patience));
  reload(daemon, {.rest = std::string(hour) + "[zone.default]\nmax_half_open = 200000\n"},
         "table half_open is resized: 4000 flows were moved");
  std::ofstream(go_on).close();
  EXPECT_EQ(listing.wait(patience), 1);
  EXPECT_THAT(listing.err(), HasSubstr("was replaced while it was read: what was printed is not all"));
  EXPECT_EQ(count(), 4000U);
}

TEST_F(ReloadTest, ASizeThatTheKernelHasNoMemoryForIsRefusedAndNothingIsLost) {
  auto daemon = start_daemon({.rest = hour});
  make_flows(4000, 20);
  reload(daemon, {.rest = std::string(hour) + "[zone.default]\nmax_half_open = 4000000000\n"}, "reload");
  EXPECT_TRUE(daemon.wait_for_output("max_half_open", patience));
  EXPECT_EQ(count(), 20U);
  const FrameSender client(lab.client, "client0");
  client.send(udp().from(Lab::client4, 4000).to(Lab::server4, 53));
  EXPECT_TRUE(eventually(patience, [&] { return the_flow({"--port", "4000"})["packets_forward"] == 2; }));
}

TEST_F(ReloadTest, AResizeThatAKilledDaemonLeftIsFinishedByTheNext) {
  auto daemon = start_daemon({.rest = hour});
  make_flows(4000, 200);
  daemon.signal(SIGSTOP);
  const std::string larger = std::string(hour) + "[zone.default]\nmax_half_open = 200000\n";
  write_config({.rest = larger});
  daemon.signal(SIGHUP);
  daemon.signal(SIGCONT);
  kill_daemon(daemon);
  auto next = start_daemon({.rest = larger});
  ASSERT_TRUE(eventually(patience, [&] { return status()["zones"][0]["max_half_open"] == 200'000; }));
  ASSERT_TRUE(eventually(patience, [&] { return status()["zones"][0]["resizing"]["half_open"] == 0; }));
  EXPECT_EQ(count(), 200U);
}

TEST_F(ReloadTest, SizesThatChangeDuringAResizeAreReachedOneAfterTheOther) {
  auto daemon = start_daemon({.rest = hour});
  make_flows(4000, 20'000);
  for (const char* size : {"200000", "30000", "150000", "40000"}) {
    write_config({.rest = std::string(hour) + "[zone.default]\nmax_half_open = " + size + "\n"});
    daemon.signal(SIGHUP);
    daemon.wait_for_output(std::string("-> ") + size, patience);
  }
  EXPECT_TRUE(eventually(patience, [&] {
    const Json zone = status()["zones"][0];
    return zone["max_half_open"] == 40'000 && zone["resizing"]["half_open"] == 0;
  }));
  EXPECT_EQ(count(), 20'000U);
  EXPECT_TRUE(eventually(patience, [&] { return scrape().imbalance() == 0; }));
  EXPECT_EQ(scrape().sum("xdpflowd_flows_evicted_total"), 0);
}

TEST_F(ReloadTest, AResizeThatCannotBePinnedLeavesTheTable) {
  auto daemon = start_daemon({.rest = hour});
  make_flows(4000, 20);
  ASSERT_EQ(mount("none", bpffs.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
  reload(daemon, {.rest = std::string(hour) + "[zone.default]\nmax_half_open = 200000\n"},
         "reloaded: 0 of 1");
  EXPECT_THAT(log(daemon), HasSubstr("Read-only file system"));
  EXPECT_THAT(ctl({"flows"}).err, HasSubstr("Read-only file system"));
  ASSERT_EQ(mount("none", bpffs.path().c_str(), nullptr, MS_REMOUNT, nullptr), 0);
  EXPECT_EQ(status()["zones"][0]["max_half_open"], 131'072);
  EXPECT_EQ(count(), 20U);
}

TEST_F(ReloadTest, ADaemonThatStandsStillIsSeenInStatus) {
  auto daemon = start_daemon();
  EXPECT_EQ(status()["daemon"]["stalled"], false);
  daemon.signal(SIGSTOP);
  EXPECT_TRUE(eventually(patience, [&] { return status()["daemon"]["stalled"] == true; }));
  EXPECT_EQ(status()["daemon"]["running"], true);
  EXPECT_THAT(must_ctl({"status"}), HasSubstr("daemon: stalled for "));
  daemon.signal(SIGCONT);
  EXPECT_TRUE(eventually(patience, [&] { return status()["daemon"]["stalled"] == false; }));
  EXPECT_LT(scrape().at("xdpflowd_daemon_heartbeat_age_seconds"), 5);
}

}  // namespace
}  // namespace xdpflowd::test
