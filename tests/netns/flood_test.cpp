// SPDX-License-Identifier: GPL-2.0-or-later
// SYN floods with more sources than the tables have room for: whoever was established before them stays.
#include <gmock/gmock.h>

#include <map>

#include "daemon_lab.h"
#include "sockets.h"

namespace xdpflowd::test {
namespace {

constexpr uint32_t syns = 300'000;
constexpr size_t sessions = 50;

struct Victim {
  const char* name;
  const char* address;
  const char* port;
};

class Flood : public PlainLab, public ::testing::WithParamInterface<Victim> {
 protected:
  Flood() {
    lab.router.ip(std::string("route add 10.0.0.0/8 via ") +
                  Lab::client4);  // the answers go where the SYNs came from
  }

  double created() const { return scrape().at("xdpflowd_flows_created_total{zone=\"default\"}"); }

  /// Frames that a busy link dropped are sent again, as others.
  void flood() const {
    const double before = created();
    for (uint32_t first = 0; created() - before < syns; first += syns) {
      auto flood = lab.client.start({NETNS_FLOOD, "client0", Lab::lan_mac, GetParam().address,
                                     GetParam().port, std::to_string(first), std::to_string(syns), "syn"});
      if (flood.wait(std::chrono::minutes(2)) != 0)
        throw std::runtime_error("the flood failed: " + flood.err());
    }
  }

  /// Source port -> bytes of the client, of the sessions that are established.
  std::map<uint16_t, uint64_t> established() const {
    std::map<uint16_t, uint64_t> bytes;
    for (const Json& flow : flows({"--port", "9000", "--state", "ESTABLISHED", "--table", "established"}))
      bytes[flow["source_port"]] = flow["bytes_forward"];
    return bytes;
  }
};

INSTANTIATE_TEST_SUITE_P(, Flood,
                         ::testing::Values(Victim{"OpenPort", Lab::server4, "8080"},
                                           Victim{"ClosedPort", Lab::server4, "8081"},
                                           Victim{"UnreachableHost", Lab::nobody4, "8080"}),
                         [](const auto& test) { return test.param.name; });

TEST_P(Flood, CostsNoEstablishedSession) {
  const auto daemon = start_daemon({.rest = "[zone.default]\nmax_flows = 1024\nmax_half_open = 4096\n"});
  const UniqueFd open_port = listen_tcp(lab.server, Lab::server4, 8080);
  const auto connections = open_tcp(lab, Lab::server4, 9000, sessions);
  for (const auto& connection : connections) connection.send_up(1000);
  const auto before = established();
  ASSERT_EQ(before.size(), sessions);

  flood();
  for (const auto& connection : connections) connection.send_up(1000);
  const auto counts_go_on = [&] {
    const auto now = established();
    return now.size() == sessions && std::all_of(before.begin(), before.end(), [&](const auto& session) {
             const auto found = now.find(session.first);
             return found != now.end() && found->second >= session.second + 1000;
           });
  };
  EXPECT_TRUE(eventually(patience, counts_go_on)) << established().size() << " sessions are left";
  EXPECT_EQ(count({"--table", "established"}), sessions) << "the flood reached the established table";
  const MetricsPage page = scrape();
  EXPECT_EQ(page.sum("xdpflowd_flows_evicted_total", "table=\"established\""), 0);
  EXPECT_EQ(page.imbalance(), 0);
  if (kernel_counts()) {
    EXPECT_GT(page.sum("xdpflowd_flows_evicted_total", "table=\"half_open\""), 0);
  }
}

}  // namespace
}  // namespace xdpflowd::test
