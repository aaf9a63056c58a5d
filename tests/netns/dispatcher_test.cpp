// SPDX-License-Identifier: GPL-2.0-or-later
// libxdp's dispatcher: life beside another XDP program, and what happens where there is no such life.
#include <gmock/gmock.h>

#include <filesystem>

#include "daemon_lab.h"
#include "older_build.h"
#include "sockets.h"

namespace xdpflowd::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Dispatcher : public DaemonLab {
 protected:
  /// As libxdp lists them.
  std::string programs(const std::string& device) const {
    return lab.router.must_run({"xdp-loader", "status", device});
  }
  bool is_there() const { return interface_status("lan0")["dispatcher"]; }
  bool counted(uint64_t bytes) const {
    return eventually(patience, [&] { return the_flow({"--protocol", "tcp"})["bytes_forward"] > bytes; });
  }
};

constexpr const char* no_dispatcher = "this kernel refuses freplace programs, and so the dispatcher";

TEST_F(Dispatcher, ANeighbourComesAndGoesAndFlowsGoOnThroughAnUpgradeBetween) {
  auto daemon = start_daemon();
  if (!is_there()) GTEST_SKIP() << no_dispatcher;
  const auto connection = open_tcp(lab, Lab::server4, 8080);
  connection.send_up(100'000);
  lab.router.must_run({"xdp-filter", "load", "--mode", "native", "--policy", "allow", "lan0"});
  EXPECT_THAT(programs("lan0"), AllOf(HasSubstr("xdpflow"), HasSubstr("xdpfilt")));
  connection.send_up(100'000);
  EXPECT_TRUE(counted(200'000));
  const MetricsPage page = scrape();
  kill_daemon(daemon);
  pretend_to_be_older(bpffs);

  const auto next = start_daemon();
  EXPECT_THAT(programs("lan0"), AllOf(HasSubstr("xdpflow"), HasSubstr("xdpfilt")));
  connection.send_up(100'000);
  EXPECT_TRUE(counted(300'000));
  lab.router.must_run({"xdp-filter", "unload", "lan0"});
  EXPECT_THAT(programs("lan0"), AllOf(HasSubstr("xdpflow"), Not(HasSubstr("xdpfilt"))));
  connection.send_up(100'000);
  EXPECT_TRUE(counted(400'000));
  EXPECT_EQ(scrape().fell_since(page), "");
  EXPECT_EQ(scrape().sum("xdpflowd_flows_created_total"), 1);
}

TEST_F(Dispatcher, UnloadLeavesTheNeighbourAtWork) {
  {
    auto daemon = start_daemon();
    if (!is_there()) GTEST_SKIP() << no_dispatcher;
    lab.router.must_run({"xdp-filter", "load", "--mode", "native", "--policy", "allow", "lan0"});
    stop_daemon(daemon);
  }
  must_ctl({"unload"});
  EXPECT_THAT(programs("lan0"), AllOf(HasSubstr("xdpfilt"), Not(HasSubstr("xdpflow"))));
  EXPECT_EQ(attached("wan0"), Json());
  lab.router.must_run({"xdp-filter", "unload", "lan0"});
  EXPECT_EQ(attached("lan0"), Json());
}

TEST_F(Dispatcher, AProgramThatItDoesNotTakeRunsByItselfAndTheLogSaysSo) {
  Background daemon(lab.router.command({XDPFLOWD_ALONE, "--config", write_config({})}));
  ASSERT_TRUE(daemon.wait_for_output("is ready", patience)) << daemon.err() << daemon.out();
  EXPECT_THAT(daemon.err() + daemon.out(), HasSubstr("xdpflow is the only XDP program of its interfaces"));
  EXPECT_NE(attached("lan0"), Json());
  EXPECT_NE(attached("wan0"), Json());
  const auto connection = open_tcp(lab, Lab::server4, 8080);
  EXPECT_EQ(scrape().sum("xdpflowd_flows_created_total"), 1);
}

TEST_F(Dispatcher, WhoRequiresItGetsNoProgramByItself) {
  const std::string config = write_config({.daemon = "dispatcher = \"require\""});
  const Outcome outcome = lab.router.run({XDPFLOWD_ALONE, "--config", config});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.out + outcome.err, HasSubstr("dispatcher"));
  EXPECT_EQ(attached("lan0"), Json());
  EXPECT_TRUE(std::filesystem::is_empty(bpffs.state_dir()));
}

}  // namespace
}  // namespace xdpflowd::test
