// SPDX-License-Identifier: GPL-2.0-or-later
// Targets while the daemon dies, stands still, starts again, and is told otherwise.
#include <gmock/gmock.h>

#include <sstream>

#include "health_lab.h"

namespace xdpflowd::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(Health, StatesAndMaintenanceOutliveTheDaemon) {
  const DaemonConfig config = {.rest = target("server", Lab::server4) + target("forced", Lab::server6)};
  uint64_t sent = 0;
  {
    auto daemon = start_daemon(config);
    ASSERT_TRUE(turns("server", "up"));
    ASSERT_TRUE(turns("forced", "up"));
    must_ctl({"targets", "set", "forced", "down"});
    EXPECT_EQ(state_of("forced"), "down");
    EXPECT_TRUE(
        daemon.wait_for_output("target forced (2001:db8:2::2, icmp): up -> down: maintenance", patience));
    sent = the_target("server").at("probes_sent");
    kill_daemon(daemon);
  }
  EXPECT_EQ(state_of("server"), "up");
  EXPECT_TRUE(eventually(patience, [&] { return the_target("server").at("stale") == true; }));
  EXPECT_EQ(state_of("server"), "up") << "a verdict without a probe";
  auto daemon = start_daemon(config);
  EXPECT_TRUE(eventually(patience, [&] { return the_target("server").at("probes_sent") > sent + 3; }));
  EXPECT_THAT(log(daemon), Not(HasSubstr("target server"))) << "nothing has changed";
  EXPECT_EQ(state_of("forced"), "down");
  must_ctl({"targets", "set", "forced", "auto"});
  EXPECT_EQ(state_of("forced"), "up");
  EXPECT_EQ(ctl({"targets", "set", "nobody", "up"}).status, 2);
}

TEST_F(Health, AProbeOutstandingWhenTheDaemonStopsIsStillJudged) {
  const auto daemon_config = DaemonConfig{
      .rest =
          "[[target]]\nname = \"server\"\naddress = \"198.18.2.2\"\ninterval = \"4s\"\ntimeout = \"3s\"\n"
          "down_interval = \"4s\"\nfall = 1\nrise = 1\njitter = \"0s\"\n"};
  auto daemon = start_daemon(daemon_config);
  ASSERT_TRUE(turns("server", "up"));
  firewall("icmp type echo-request counter drop");
  ASSERT_TRUE(eventually(patience, [&] { return dropped() == 1; })) << "no probe is on its way";
  daemon.signal(SIGSTOP);
  EXPECT_EQ(state_of("server"), "up");
  EXPECT_TRUE(turns("server", "down")) << "its deadline has passed";
  EXPECT_EQ(the_target("server").at("probes_failed"), 1);
  no_firewall();
  daemon.signal(SIGCONT);
  EXPECT_TRUE(turns("server", "up"));
}

TEST_F(Health, ADaemonThatStandsStillFreezesWhatIsNotUnderWay) {
  auto daemon = start_daemon({.rest = target("server", Lab::server4, "fall = 1")});
  ASSERT_TRUE(turns("server", "up"));
  daemon.signal(SIGSTOP);
  EXPECT_TRUE(eventually(patience, [&] { return the_target("server").at("stale") == true; }));
  EXPECT_EQ(state_of("server"), "up");
  daemon.signal(SIGCONT);
  EXPECT_TRUE(eventually(patience, [&] { return the_target("server").at("stale") == false; }));
  EXPECT_EQ(state_of("server"), "up");
  EXPECT_EQ(the_target("server").at("probes_failed"), 0) << "nothing was sent that could have failed";
}

TEST_F(Health, WatchShowsAChangeWhenItComes) {
  const auto daemon = start_daemon({.rest = target("server", Lab::server4)});
  ASSERT_TRUE(turns("server", "up"));
  auto watching =
      lab.router.start({XDPFLOWCTL, "--state-dir", bpffs.state_dir(), "targets", "--watch", "--json"});
  EXPECT_TRUE(watching.wait_for_output("\"state\":\"up\"", patience)) << watching.err();
  firewall("icmp type echo-request drop");
  EXPECT_TRUE(watching.wait_for_output("\"state\":\"down\"", patience)) << watching.out();
  watching.signal(SIGINT);
  EXPECT_EQ(watching.wait(patience), 0);
  std::istringstream pictures(watching.out());
  for (std::string line; std::getline(pictures, line);) EXPECT_EQ(Json::parse(line).size(), 1U);
}

TEST_F(Health, WatchingEndsWhenNobodyReads) {
  const auto daemon = start_daemon({.rest = target("server", Lab::server4)});
  const Outcome outcome = lab.router.run(
      {"sh", "-c", XDPFLOWCTL " --state-dir " + bpffs.state_dir() + " targets --watch | head -n 1"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err, "");
}

TEST_F(Health, AReloadTouchesOnlyWhatIsDifferent) {
  auto daemon = start_daemon({.rest = target("stays", Lab::server4) + target("goes", Lab::server6) +
                                      target("changes", Lab::client4)});
  for (const auto* name : {"stays", "goes", "changes"}) ASSERT_TRUE(turns(name, "up"));
  const auto before = the_target("stays").at("probes_sent").get<uint64_t>();
  write_config({.rest = target("stays", Lab::server4) + target("changes", Lab::client4, "fall = 7") +
                        target("comes", Lab::client6)});
  daemon.signal(SIGHUP);
  ASSERT_TRUE(daemon.wait_for_output("reloaded: 3 of 3 changes applied", patience)) << log(daemon);
  ASSERT_TRUE(turns("comes", "up"));
  EXPECT_EQ(targets().size(), 3U);
  EXPECT_EQ(state_of("changes"), "up");
  EXPECT_GE(the_target("stays").at("probes_sent").get<uint64_t>(), before);
  EXPECT_EQ(the_target("stays").at("transitions").at("up"), 1);
}

}  // namespace
}  // namespace xdpflowd::test
