// SPDX-License-Identifier: GPL-2.0-or-later
// xdpflowctl on live tables: filters, orders, flush, and reading while they change.
#include <gmock/gmock.h>

#include <filesystem>

#include <set>

#include "daemon_lab.h"
#include "sockets.h"

namespace xdpflowd::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Two TCP connections over IPv4, one over IPv6, one datagram of 100 to 109 bytes from each port 4000 to
/// 4009.
class Ctl : public PlainLab {
 protected:
  Ctl() {
    for (const TcpPair& pair : v4_) pair.send_up(1000);
    v6_.send_up(2000);
    for (uint16_t i = 0; i < 10; ++i) {
      const auto client = udp_socket(lab.client, Lab::client4, static_cast<uint16_t>(4000 + i));
      send_udp(client, Lab::server4, 53, 100U + i);
    }
    if (!becomes(13) || !becomes(3, {"--table", "established"})) throw std::runtime_error(flows().dump(1));
  }

  std::vector<uint16_t> source_ports(const Argv& arguments) const {
    std::vector<uint16_t> ports;
    for (const Json& flow : flows(arguments)) ports.push_back(flow["source_port"]);
    return ports;
  }

  UniqueFd udp_server_ = udp_socket(lab.server, Lab::server4, 53);
  Background daemon_ = start_daemon();
  std::vector<TcpPair> v4_ = open_tcp(lab, Lab::server4, 8080, 2);
  TcpPair v6_ = open_tcp(lab, Lab::server6, 8080);
};

TEST_F(Ctl, EveryFilterChoosesItsFlows) {
  const std::pair<Argv, size_t> table[] = {
      {{}, 13},
      {{"--protocol", "tcp"}, 3},
      {{"--protocol", "17"}, 10},
      {{"--zone", "default"}, 13},
      {{"--source", Lab::client4}, 12},
      {{"--source", "2001:db8:1::/64"}, 1},
      {{"--source", "198.18.2.0/24"}, 0},
      {{"--destination", "198.18.2.0/24"}, 12},
      {{"--destination", "::/0"}, 1},
      {{"--port", "4003"}, 1},
      {{"--port", "53"}, 10},
      {{"--state", "established"}, 3},
      {{"--state", "UNREPLIED"}, 10},
      {{"--table", "half_open"}, 10},
      {{"--table", "established", "--source", Lab::client4, "--port", "8080"}, 2},
  };
  for (const auto& [filters, matches] : table) {
    EXPECT_EQ(count(filters), matches) << ::testing::PrintToString(filters);
    EXPECT_EQ(flows(filters).size(), matches) << ::testing::PrintToString(filters);
  }
}

TEST_F(Ctl, SortAndLimitShowTheLargestFirst) {
  EXPECT_THAT(source_ports({"--protocol", "udp", "--sort", "bytes", "--limit", "3"}),
              ElementsAre(4009, 4008, 4007));
  EXPECT_THAT(source_ports({"--protocol", "udp", "--sort", "age", "--limit", "2"}), ElementsAre(4000, 4001));
  EXPECT_THAT(source_ports({"--protocol", "udp", "--sort", "idle", "--limit", "1"}), ElementsAre(4000));
  EXPECT_EQ(flows({"--sort", "packets", "--limit", "1"})[0]["protocol"], "tcp");
  EXPECT_EQ(source_ports({"--limit", "5"}), source_ports({"--limit", "5"})) << "the order is not stable";
}

TEST_F(Ctl, FlushEndsWhatMatchesAndSaysHowMany) {
  EXPECT_EQ(must_ctl({"flush", "--protocol", "udp", "--port", "4003"}), "1\n");
  EXPECT_EQ(Json::parse(must_ctl({"flush", "--protocol", "udp", "--json"})), Json({{"flushed", 9}}));
  EXPECT_EQ(must_ctl({"flush", "--protocol", "udp"}), "0\n");
  EXPECT_EQ(count(), 3U);
  EXPECT_EQ(must_ctl({"flush"}), "3\n");
  ASSERT_TRUE(records_become(13));
  for (const Json& record : records()) EXPECT_EQ(record["reason"], "flushed");
  EXPECT_EQ(scrape().sum("xdpflowd_flows_ended_total", "reason=\"flushed\""), 13);

  v4_[0].send_up(10);  // a flushed connection is picked up again where it is
  EXPECT_TRUE(becomes(1, {"--state", "ESTABLISHED"})) << flows().dump(1);
}

TEST_F(Ctl, ReadingWhileFlowsComeAndGoShowsNoneTwice) {
  auto flood =
      lab.client.start({NETNS_FLOOD, "client0", Lab::lan_mac, Lab::server4, "9", "0", "100000", "udp"});
  size_t reads = 0;
  for (; flood.is_running(); ++reads) {
    std::set<std::string> seen;
    for (const Json& flow : flows()) {
      const std::string who = flow["protocol"].get<std::string>() + " " + flow["source"].get<std::string>() +
                              " " + flow["source_port"].dump() + " " + flow["destination"].get<std::string>();
      EXPECT_TRUE(seen.insert(who).second) << who << " is there twice";
      EXPECT_GE(flow["idle_seconds"], 0);
    }
    EXPECT_GE(seen.size(), 13U);
  }
  EXPECT_GT(reads, 0U);
}

TEST_F(Ctl, AReaderThatHasSeenEnoughIsNoError) {
  auto flood =
      lab.client.start({NETNS_FLOOD, "client0", Lab::lan_mac, Lab::server4, "9", "0", "20000", "udp"});
  ASSERT_EQ(flood.wait(patience), 0);
  for (const std::string flows : {"flows", "flows --json"}) {
    const Outcome outcome = lab.router.run({"bash", "-c",
                                            std::string("set -o pipefail; ") + XDPFLOWCTL + " --state-dir " +
                                                bpffs.state_dir() + " " + flows + " | head -c 40"});
    EXPECT_EQ(outcome.status, 0) << flows;
    EXPECT_EQ(outcome.err, "") << flows;
    EXPECT_EQ(outcome.out.size(), 40U) << flows;
  }
}

TEST_F(Ctl, StatusSaysWhatRunsWhere) {
  const Json all = status();
  EXPECT_EQ(all["daemon"]["running"], true);
  EXPECT_EQ(all["daemon"]["pid"], daemon_.pid());
  EXPECT_EQ(all["zones"][0]["name"], "default");
  EXPECT_EQ(all["zones"][0]["established"], 3);
  EXPECT_EQ(all["zones"][0]["half_open"], 10);
  for (const char* device : {"lan0", "wan0"}) EXPECT_EQ(interface_status(device)["mode"], "native");
  EXPECT_THAT(must_ctl({"status"}), HasSubstr("lan0"));
}

TEST_F(DaemonLab, FeaturesTellWhatKernelAndInterfacesAllowBeforeAnythingIsLoaded) {
  const Json report = Json::parse(must_ctl({"features", "--json"}));
  const auto available = [&](const std::string& name) {
    for (const auto& feature : report["features"])
      if (feature["name"] == name) return feature["available"];
    return Json("no such feature");
  };
  EXPECT_EQ(available("needed_helpers"), true);
  EXPECT_EQ(available("needed_maps"), true);
  Json lan;
  for (const auto& interface : report["interfaces"])
    if (interface["name"] == "lan0") lan = interface;
  EXPECT_EQ(lan["driver"], "veth");
  EXPECT_EQ(lan["mtu"], 1500);
  EXPECT_TRUE(lan["native_xdp"].is_null() || lan["native_xdp"] == true) << lan;
  EXPECT_FALSE(std::filesystem::exists(bpffs.state_dir()));
  {
    const auto daemon = start_daemon();
    EXPECT_EQ(available("dispatcher"), interface_status("lan0")["dispatcher"]);
    EXPECT_EQ(available("quick_count"), kernel_counts());
  }
  EXPECT_NE(must_ctl({"features"}).find("RX-VLAN-OFFLOAD"), std::string::npos);
  for (const char* program : {XDPFLOWD, XDPFLOWCTL}) {
    const auto version = lab.router.must_run({program, "--version"});
    EXPECT_NE(version.find(XDPFLOWD_VERSION "\nkernel "), std::string::npos) << version;
    EXPECT_NE(version.find("needed_helpers"), std::string::npos) << version;
  }
}

}  // namespace
}  // namespace xdpflowd::test
