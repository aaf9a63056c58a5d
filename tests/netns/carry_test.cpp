// SPDX-License-Identifier: GPL-2.0-or-later
// A daemon that finds a data plane of another layout carries its flows over. The others are real: the same
// sources, built against another contract (tests/layouts).
#include <gmock/gmock.h>

#include <filesystem>
#include <thread>

#include "crash_lab.h"
#include "sockets.h"

namespace xdpflowd::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

constexpr const char* hour = "[timeouts]\nudp = \"1h\"\n";

class CarryOver : public CrashLab {
 protected:
  /// One of another version, ready.
  Background start_other(const char* binary, const DaemonConfig& with) const {
    Background daemon(lab.router.command({binary, "--config", write_config(with)}));
    if (!daemon.wait_for_output("is ready", patience))
      throw std::runtime_error("the other daemon is not ready:\n" + daemon.err() + daemon.out());
    return daemon;
  }

  void send_udp_flows(uint16_t count, int packets = 1) const {
    const FrameSender client(lab.client, "client0");
    for (int i = 0; i < packets; ++i)
      for (uint16_t port = 4000; port < 4000 + count; ++port)
        client.send(udp().from(Lab::client4, port).to(Lab::server4, 53));
  }

  bool is_over() const { return !std::filesystem::exists(bpffs.state_dir() + "/former_layout"); }
  static std::string log_of(const Background& daemon) { return daemon.err() + daemon.out(); }

  /// By the books of the daemon that runs.
  bool books_become(double flows) const {
    return eventually(patience, [&] { return scrape().sum("xdpflowd_flows") == flows; });
  }
};

TEST_F(CarryOver, FlowsComeAlongWithTheirCountersAgeStateAndInitiator) {
  auto former = start_other(XDPFLOWD_FORMER, {.rest = hour});
  const auto connection = open_tcp(lab, Lab::server4, 8080);
  connection.send_up(100'000);
  connection.send_down(50'000);
  const auto half_open = begin_connect(lab.client, Lab::nobody4, 81);
  lab.client.must_run({"ping", "-q", "-c", "3", "-i", "0.2", Lab::server4});
  send_udp_flows(50, 3);
  ASSERT_TRUE(books_become(53));
  std::this_thread::sleep_for(2s);
  const MetricsPage before = scrape();
  kill_daemon(former);

  const auto daemon = start_daemon({.rest = hour});
  EXPECT_THAT(log_of(daemon), HasSubstr("carried over 53 flows from layout revision 1"));
  EXPECT_THAT(log_of(daemon), HasSubstr("only_here of the former layout is not kept"));
  EXPECT_TRUE(is_over());
  EXPECT_EQ(count(), 53U);
  const Json tcp_flow = the_flow({"--protocol", "tcp", "--port", "8080"});
  EXPECT_EQ(tcp_flow["source"], Lab::client4);
  EXPECT_EQ(tcp_flow["destination_port"], 8080);
  EXPECT_EQ(tcp_flow["state"], "ESTABLISHED");
  EXPECT_EQ(tcp_flow["table"], "established");
  EXPECT_EQ(tcp_flow["direction"], "both");
  EXPECT_EQ(tcp_flow["timer"], "exact");
  EXPECT_GT(tcp_flow["bytes_forward"], 100'000);
  EXPECT_GT(tcp_flow["bytes_reverse"], 50'000);
  EXPECT_GE(tcp_flow["age_seconds"], 2);
  EXPECT_EQ(the_flow({"--port", "81"})["state"], "SYN_SENT");
  EXPECT_EQ(the_flow({"--port", "81"})["table"], "half_open");
  EXPECT_EQ(the_flow({"--port", "4007"})["packets_forward"], 3);
  EXPECT_EQ(the_flow({"--protocol", "icmp"})["packets_reverse"], 3);
  EXPECT_EQ(scrape().fell_since(before), "");
  EXPECT_EQ(scrape().sum("xdpflowd_flows_created_total"), 53);
  EXPECT_EQ(scrape().sum("xdpflowd_flows_evicted_total"), 0);
  EXPECT_EQ(scrape().imbalance(), 0);
  connection.send_up(100'000);
  EXPECT_TRUE(eventually(patience, [&] {
    return the_flow({"--protocol", "tcp", "--port", "8080"})["bytes_forward"] > 200'000;
  }));
  EXPECT_EQ(count({"--port", "8080"}), 1U);
}

TEST_F(CarryOver, RecordsOfFlowsThatEndedWhileNoDaemonRanAreWritten) {
  const DaemonConfig with = {.rest = "[timeouts]\nudp = \"1s\"\n"};
  auto former = start_other(XDPFLOWD_FORMER, with);
  kill_daemon(former);
  send_udp_flows(20, 2);
  std::this_thread::sleep_for(3s);
  const auto daemon = start_daemon(with);
  ASSERT_TRUE(records_become(20));
  for (const Json& record : records()) {
    EXPECT_EQ(record["reason"], "idle");
    EXPECT_EQ(record["source"], Lab::client4);
    EXPECT_EQ(record["packets_forward"], 2);
    EXPECT_LT(record["duration_seconds"], 3);
  }
  EXPECT_EQ(count(), 0U);
  EXPECT_EQ(scrape().sum("xdpflowd_flows_ended_total"), 20);
  EXPECT_EQ(scrape().imbalance(), 0);
}

TEST_F(CarryOver, FlowsKeepWhatIsLeftOfTheirDeadline) {
  const DaemonConfig with = {.rest = "[timeouts]\nudp = \"20s\"\n"};
  auto former = start_other(XDPFLOWD_FORMER, with);
  send_udp_flows(20);
  kill_daemon(former);
  std::this_thread::sleep_for(2s);
  const auto daemon = start_daemon(with);
  ASSERT_EQ(count(), 20U);
  const Json flow = the_flow({"--port", "4003"});
  EXPECT_GT(flow["age_seconds"], 2);
  EXPECT_NEAR(flow["age_seconds"].get<double>() + flow["expires_in_seconds"].get<double>(), 20, 0.1);
  ASSERT_TRUE(records_become(20));
  for (const Json& record : records()) {
    EXPECT_GE(record["duration_seconds"], 20);
    EXPECT_LT(record["duration_seconds"], 22);
  }
  EXPECT_EQ(scrape().imbalance(), 0);
}

TEST_F(CarryOver, UnderTrafficFlowsStayOneAndPacketsAreCountedOnce) {
  auto former = start_other(XDPFLOWD_FORMER, {.rest = hour});
  const FrameSender client(lab.client, "client0"), server(lab.server, "server0");
  uint64_t up = 0, down = 0;
  const auto send_for_a_while = [&] {
    for (int i = 0; i < 100; ++i, ++up, ++down) {
      client.send(udp().from(Lab::client4, 4000).to(Lab::server4, 53));
      server.send(udp().from(Lab::server4, 53).to(Lab::client4, 4000));
    }
  };
  send_for_a_while();
  kill_daemon(former);
  Background next(daemon_command({.rest = hour}));
  for (int i = 0; i < 2000 && !next.wait_for_output("is ready", std::chrono::milliseconds(1)); ++i)
    send_for_a_while();
  ASSERT_TRUE(next.wait_for_output("is ready", patience)) << log_of(next);
  send_for_a_while();
  const auto counted = [&](const char* name) { return the_flow({"--port", "4000"})[name].get<uint64_t>(); };
  // A packet that another CPU has in hand while its flow changes tables is on none; nor, under the
  // dispatcher, are those of the moment between one generation and the other.
  const uint64_t slack = 3 + up / 1000;
  EXPECT_TRUE(eventually(patience, [&] { return counted("packets_forward") + slack >= up; }))
      << up << ' ' << the_flow().dump() << log_of(next);
  EXPECT_TRUE(eventually(patience, [&] { return counted("packets_reverse") + slack >= down; }));
  EXPECT_LE(counted("packets_forward"), up);
  EXPECT_LE(counted("packets_reverse"), down);
  EXPECT_EQ(the_flow()["source"], Lab::client4);
  EXPECT_EQ(the_flow()["table"], "established");
  EXPECT_EQ(scrape().sum("xdpflowd_flows_created_total"), 1);
  EXPECT_EQ(scrape().imbalance(), 0);
}

TEST_F(CarryOver, AKillAtAnyStepLosesNoFlowAndIsRepaired) {
  const auto begin = [&] {
    auto former = start_other(XDPFLOWD_FORMER, config);
    send_udp_flows(400, 2);
    kill_daemon(former);
  };
  begin();
  const auto all = steps();
  must_ctl({"unload"});
  ASSERT_GT(all.size(), 80U);
  for (size_t i = 0; i < all.size(); i += all.size() / 12) {
    begin();
    start_and_die_at(all[i]);
    const auto daemon = start_daemon(config);
    ASSERT_EQ(count(), 400U) << name_of(all[i]) << log_of(daemon);
    ASSERT_EQ(the_flow({"--port", "4399"})["packets_forward"], 2) << name_of(all[i]);
    ASSERT_EQ(mode_of("lan0"), "native") << name_of(all[i]);
    ASSERT_EQ(scrape().sum("xdpflowd_flows_created_total"), 400) << name_of(all[i]) << log_of(daemon);
    ASSERT_EQ(scrape().imbalance(), 0) << name_of(all[i]);
    ASSERT_EQ(scrape().sum("xdpflowd_flows_evicted_total"), 0) << name_of(all[i]);
    ASSERT_TRUE(is_over()) << name_of(all[i]);
    must_ctl({"unload", "--force"});
  }
}

TEST_F(CarryOver, AZoneThatIsNoLongerConfiguredKeepsItsFlows) {
  const std::string zones = interface("lan0", "zone = \"inside\"") + interface("wan0", "zone = \"default\"");
  auto former = start_other(
      XDPFLOWD_FORMER, {.interfaces = zones, .rest = std::string("[zone.inside]\n[zone.default]\n") + hour});
  send_udp_flows(30);
  kill_daemon(former);
  const auto daemon = start_daemon({.rest = hour});
  EXPECT_EQ(count({"--zone", "inside"}), 30U);
  EXPECT_EQ(scrape().at("xdpflowd_flows_created_total{zone=\"inside\"}"), 30);
}

TEST_F(CarryOver, AStartThatFailsLeavesTheFormerLayoutAtWork) {
  auto former = start_other(XDPFLOWD_FORMER, {.rest = hour});
  send_udp_flows(30);
  kill_daemon(former);
  const Json program = attached("lan0");
  const Outcome failed = run_daemon({.interfaces = interface("nosuch0"), .rest = hour});
  EXPECT_EQ(failed.status, 1);
  EXPECT_TRUE(is_over());
  EXPECT_EQ(attached("lan0"), program);
  auto again = start_other(XDPFLOWD_FORMER, {.rest = hour});
  EXPECT_TRUE(books_become(30));
  kill_daemon(again);
  const auto daemon = start_daemon({.rest = hour});
  EXPECT_EQ(count(), 30U);
}

TEST_F(CarryOver, WhatALayoutLacksIsSaidAndDropped) {
  auto lacking = start_other(XDPFLOWD_LACKING, {.rest = hour});
  send_udp_flows(30);
  ASSERT_TRUE(books_become(30));
  const MetricsPage before = scrape();
  kill_daemon(lacking);
  const auto daemon = start_daemon({.rest = hour});
  EXPECT_THAT(
      log_of(daemon),
      AllOf(HasSubstr("all flows are dropped, without records: struct xf_flow: last_seen_ns is not there"),
            HasSubstr("the records of flows that have ended are dropped: struct xf_record: last_seen_ns")));
  EXPECT_EQ(count(), 0U);
  EXPECT_EQ(scrape().fell_since(before), "");
  EXPECT_EQ(scrape().imbalance(), 0);
  EXPECT_TRUE(is_over());
}

TEST_F(CarryOver, ADowngradeIsRefusedWithTheWayOutWhichWorks) {
  auto daemon = start_daemon({.rest = hour});
  send_udp_flows(30);
  kill_daemon(daemon);
  const Json program = attached("lan0");
  const Outcome refused =
      run(lab.router.command({XDPFLOWD_FORMER, "--config", write_config({.rest = hour})}), patience);
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.out + refused.err,
              AllOf(HasSubstr("made by a newer version of xdpflowd"), HasSubstr("revision"),
                    HasSubstr("start that version"), HasSubstr("xdpflowctl unload")));
  EXPECT_EQ(attached("lan0"), program);
  EXPECT_EQ(count(), 30U);
  must_ctl({"unload"});
  const auto former = start_other(XDPFLOWD_FORMER, {.rest = hour});
  const Outcome tool = ctl({"flows"});
  EXPECT_EQ(tool.status, 1);
  EXPECT_THAT(tool.err, AllOf(HasSubstr("made by an older version of xdpflowd"),
                              HasSubstr("that version's xdpflowctl")));
}

TEST_F(CarryOver, UnloadRemovesAlsoWhatWasSetAside) {
  {
    auto former = start_other(XDPFLOWD_FORMER, {.rest = hour});
    kill_daemon(former);
  }
  const auto state_dir = bpffs.state_dir();
  std::filesystem::create_directory(state_dir + "/former_layout");
  for (const char* pin : {"programs", "flows", "tables", "control"})
    std::filesystem::rename(state_dir + "/" + pin, state_dir + "/former_layout/" + pin);
  ASSERT_NE(attached("lan0"), Json());
  must_ctl({"unload"});
  EXPECT_EQ(attached("lan0"), Json());
  EXPECT_FALSE(std::filesystem::exists(state_dir));
}

}  // namespace
}  // namespace xdpflowd::test
