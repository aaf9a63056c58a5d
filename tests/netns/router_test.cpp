// SPDX-License-Identifier: GPL-2.0-or-later
// What XDP sees half of: the router's own conversations, and those that it masquerades.
#include <gmock/gmock.h>

#include <set>

#include "daemon_lab.h"
#include "sockets.h"

namespace xdpflowd::test {
namespace {

using ::testing::ElementsAre;

constexpr const char* short_timeouts =
    "[timeouts]\ntcp_syn_sent = \"20s\"\ntcp_syn_recv = \"20s\"\ntcp_fin_wait = \"1s\"\ntcp_close_wait = "
    "\"1s\"\n"
    "tcp_last_ack = \"1s\"\ntcp_time_wait = \"1s\"\ntcp_close = \"1s\"\nicmp = \"1s\"\n";

class RouterItself : public PlainLab {
 protected:
  void masquerade() const {
    must_run(
        lab.router.command({"nft", "-f", "-"}),
        "table inet nat { chain out { type nat hook postrouting priority 100; oifname wan0 masquerade; }; }");
  }

  Background daemon_ = start_daemon({.rest = short_timeouts});
};

TEST_F(RouterItself, ItsOwnConnectionIsAOneWayFlowStartedByTheServer) {
  const UniqueFd listener = listen_tcp(lab.server, Lab::server4, 8080);
  UniqueFd own = connect_tcp(lab.router, Lab::server4, 8080);
  UniqueFd server = accept_tcp(listener);
  send_all(own, "question");
  EXPECT_EQ(receive(server, 8), "question");
  send_all(server, "answer");
  EXPECT_EQ(receive(own, 6), "answer");

  ASSERT_TRUE(becomes(1, {"--state", "ESTABLISHED"})) << flows().dump(1);
  const Json flow = the_flow();
  EXPECT_EQ(flow["source"], Lab::server4);
  EXPECT_EQ(flow["source_port"], 8080);
  EXPECT_EQ(flow["direction"], "one-way");
  EXPECT_EQ(flow["packets_reverse"], 0);

  own = UniqueFd();
  receive_all(server);
  server = UniqueFd();
  EXPECT_TRUE(becomes(0)) << flows().dump(1);
  ASSERT_TRUE(records_become(1));
  EXPECT_EQ(records().at(0)["reason"], "closed");
}

TEST_F(RouterItself, CurlAndPingRunOnItAndTheirFlowsLeave) {
  const WebServer server(lab.server, 8000, 10'000);
  for (const char* host : {"198.18.2.2", "[2001:db8:2::2]"})
    lab.router.must_run({"curl", "-sS", "-g", "-o", "/dev/null", std::string("http://") + host + ":8000/"});
  for (const char* host : {Lab::server4, Lab::server6, Lab::client4})
    lab.router.must_run({"ping", "-n", "-q", "-c", "3", "-i", "0.05", host});
  EXPECT_TRUE(becomes(0)) << flows().dump(1);
  ASSERT_TRUE(records_become(5));
  std::multiset<std::string> protocols;
  for (const Json& record : records()) {
    EXPECT_EQ(record["direction"], "one-way") << record;
    protocols.insert(record["protocol"]);
  }
  EXPECT_THAT(protocols, ElementsAre("icmp", "icmp", "icmpv6", "tcp", "tcp"));
}

TEST_F(RouterItself, AMasqueradedConnectionIsTwoOneWayFlowsThatLeave) {
  masquerade();
  auto connection = open_tcp(lab, Lab::server4, 8080);
  connection.send_up(100'000);
  connection.send_down(100'000);
  ASSERT_TRUE(becomes(2, {"--state", "ESTABLISHED"})) << flows().dump(1);
  const Json inside = the_flow({"--source", Lab::client4}), outside = the_flow({"--source", Lab::server4});
  EXPECT_EQ(inside["destination"], Lab::server4);
  EXPECT_EQ(outside["destination"], Lab::wan4);
  for (const Json& flow : {inside, outside}) {
    EXPECT_EQ(flow["direction"], "one-way");
    EXPECT_GT(flow["bytes_forward"], 100'000);
    EXPECT_EQ(flow["bytes_reverse"], 0);
  }
  connection.close();
  EXPECT_TRUE(becomes(0)) << flows().dump(1);
}

TEST_F(RouterItself, CurlAndPingWorkThroughTheMasquerade) {
  masquerade();
  const WebServer server(lab.server, 8000, 10'000);
  lab.client.must_run({"curl", "-sS", "-o", "/dev/null", "http://198.18.2.2:8000/"});
  lab.client.must_run({"ping", "-n", "-q", "-c", "3", "-i", "0.05", Lab::server4});
  EXPECT_TRUE(becomes(0)) << flows().dump(1);
  EXPECT_EQ(scrape().imbalance(), 0);
}

}  // namespace
}  // namespace xdpflowd::test
