// SPDX-License-Identifier: GPL-2.0-or-later
// What the router forwards, and what the flow table says of it.
#include <gmock/gmock.h>

#include "daemon_lab.h"
#include "forward_counters.h"
#include "sockets.h"

namespace xdpflowd::test {
namespace {

constexpr uint16_t port = 8080;

/// "4" or "6": the same behaviour is wanted of both.
struct Family {
  const char* name;
  const char* client;
  const char* server;
  const char* nobody;
  const char* unreachable;  // behind the server, which says so
  const char* icmp;
  size_t header;
};

constexpr Family families[] = {
    {"v4", Lab::client4, Lab::server4, Lab::nobody4, "203.0.113.9", "icmp", 20},
    {"v6", Lab::client6, Lab::server6, Lab::nobody6, "2001:db8:99::9", "icmpv6", 40},
};

class Traffic : public PlainLab, public ::testing::WithParamInterface<Family> {
 protected:
  const Family& family = GetParam();

  /// Whether the only TCP flow has counted what the stack forwarded.
  bool agrees(const ForwardCounters& counters) const {
    const Json flow = the_flow({"--protocol", "tcp"});
    return Counted{flow["packets_forward"], flow["bytes_forward"]} == counters.read("up") &&
           Counted{flow["packets_reverse"], flow["bytes_reverse"]} == counters.read("down");
  }
};

INSTANTIATE_TEST_SUITE_P(, Traffic, ::testing::ValuesIn(families),
                         [](const auto& test) { return test.param.name; });

TEST_P(Traffic, ATransferIsCountedOnItsFlowToThePacketAndByte) {
  const auto daemon = start_daemon();
  const ForwardCounters counters(lab.router, {{"up", "tcp dport 8080"}, {"down", "tcp sport 8080"}});
  auto connection = open_tcp(lab, family.server, port);
  connection.send_up(300'000);
  connection.send_down(2'000'000);
  EXPECT_TRUE(eventually(patience, [&] { return agrees(counters); })) << flows().dump(1);

  const Json open = the_flow({"--protocol", "tcp"});
  EXPECT_EQ(open["source"], family.client);
  EXPECT_EQ(open["destination"], family.server);
  EXPECT_EQ(open["destination_port"], port);
  EXPECT_EQ(open["state"], "ESTABLISHED");
  EXPECT_EQ(open["table"], "established");
  EXPECT_EQ(open["direction"], "both");
  EXPECT_GT(open["bytes_reverse"], 2'000'000);

  connection.close();
  EXPECT_TRUE(becomes(1, {"--state", "TIME_WAIT"})) << flows().dump(1);
  EXPECT_TRUE(eventually(patience, [&] { return agrees(counters); })) << flows().dump(1);
}

TEST_P(Traffic, PingIsOneFlowWithItsIdentifierAsPort) {
  const auto daemon = start_daemon();
  lab.client.must_run({"ping", "-n", "-q", "-c", "3", "-i", "0.05", "-s", "56", family.server});
  const Json flow = the_flow();
  EXPECT_EQ(flow["protocol"], family.icmp);
  EXPECT_EQ(flow["source"], family.client);
  EXPECT_EQ(flow["source_port"], flow["destination_port"]);
  EXPECT_EQ(flow["state"], "REPLIED");
  for (const char* direction : {"forward", "reverse"}) {
    EXPECT_EQ(flow[std::string("packets_") + direction], 3);
    EXPECT_EQ(flow[std::string("bytes_") + direction], 3 * (family.header + 8 + 56));
  }
}

TEST_P(Traffic, AClosedPortClosesTheFlowAndPromotesNothing) {
  const auto daemon = start_daemon();
  EXPECT_EQ(try_connect(lab.client, family.server, port), ECONNREFUSED);
  const Json flow = the_flow();
  EXPECT_EQ(flow["state"], "CLOSE");
  EXPECT_EQ(flow["table"], "half_open");
  EXPECT_EQ(flow["packets_forward"], 1);
  EXPECT_EQ(flow["packets_reverse"], 1);
}

TEST_P(Traffic, UdpIsRepliedOnTheReplyAndEstablishedOnThePacketAfterIt) {
  const auto daemon = start_daemon();
  const auto client = udp_socket(lab.client, family.client, 4000);
  const auto server = udp_socket(lab.server, family.server, port);
  send_udp(client, family.server, port, 100);
  EXPECT_EQ(receive_udp(server), 100U);
  EXPECT_EQ(the_flow()["state"], "UNREPLIED");
  EXPECT_EQ(the_flow()["direction"], "one-way");

  send_udp(server, family.client, 4000, 500);
  EXPECT_EQ(receive_udp(client), 500U);
  EXPECT_EQ(the_flow()["state"], "REPLIED");
  EXPECT_EQ(the_flow()["table"], "half_open");

  send_udp(client, family.server, port, 1);
  EXPECT_EQ(receive_udp(server), 1U);
  const Json flow = the_flow();
  EXPECT_EQ(flow["table"], "established");
  EXPECT_EQ(flow["packets_forward"], 2);
  EXPECT_EQ(flow["bytes_forward"], 2 * (family.header + 8) + 101);
  EXPECT_EQ(flow["packets_reverse"], 1);
  EXPECT_EQ(flow["bytes_reverse"], family.header + 8 + 500);
}

TEST_P(Traffic, AnErrorFromBehindTheRouterIsCountedOnTheFlow) {
  const auto daemon = start_daemon();
  const bool v4 = family.header == 20;
  const std::string network = v4 ? "203.0.113.0/24" : "2001:db8:99::/64";
  lab.server.set(v4 ? "ipv4/ip_forward" : "ipv6/conf/all/forwarding", "1");
  lab.server.ip("route add unreachable " + network);
  lab.router.ip("route add " + network + " via " + family.server);

  const auto socket = udp_socket(lab.client, family.client, 4000);
  send_udp(socket, family.unreachable, port, 10);
  const Argv to_nobody = {"--destination", family.unreachable};
  EXPECT_TRUE(eventually(patience, [&] { return the_flow(to_nobody)["icmp_errors"] == 1; }))
      << flows().dump(1);
  EXPECT_EQ(the_flow(to_nobody)["packets_reverse"], 0);
}

TEST_P(Traffic, AHostThatDoesNotAnswerLeavesAFlowThatWaits) {
  const auto daemon = start_daemon();
  const auto waiting = begin_connect(lab.client, family.nobody, port);
  EXPECT_TRUE(becomes(1, {"--state", "SYN_SENT"})) << flows().dump(1);
  EXPECT_EQ(the_flow()["direction"], "one-way");
}

TEST_F(PlainLab, CurlShowsEstablishedThenTimeWait) {
  const auto daemon = start_daemon();
  constexpr size_t page = 40 << 20;  // more than curl's socket takes in before curl reads it
  const WebServer server(lab.server, 8000, page);
  for (const char* host : {"198.18.2.2", "[2001:db8:2::2]"}) {
    auto curl = lab.client.start({"curl", "-sS", "-g", "--limit-rate", "20M", "-o", folder.file("copy"),
                                  std::string("http://") + host + ":8000/file"});
    EXPECT_TRUE(eventually(patience, [&] { return count({"--state", "ESTABLISHED"}) == 1; }));
    ASSERT_EQ(curl.wait(patience), 0) << curl.err();
  }
  ASSERT_TRUE(becomes(2, {"--state", "TIME_WAIT"})) << flows().dump(1);
  for (const Json& flow : flows({"--port", "8000"})) EXPECT_GT(flow["bytes_reverse"], page);
}

}  // namespace
}  // namespace xdpflowd::test
