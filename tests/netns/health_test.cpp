// SPDX-License-Identifier: GPL-2.0-or-later
// Targets end to end: a real server is cut off and comes back, and everybody is told.
#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>

#include "foreign_program.h"
#include "health_lab.h"
#include "sockets.h"

namespace xdpflowd::test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(Health, EveryKindOfProbeSeesALivingServer) {
  const auto web4 = listen_tcp(lab.server, Lab::server4, 8080),
             web6 = listen_tcp(lab.server, Lab::server6, 8080);
  const auto echo = lab.server.start({"python3", "-c",
                                      "import socket\n"
                                      "s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)\n"
                                      "s.bind(('::', 7))\n"
                                      "while True:\n"
                                      "    data, peer = s.recvfrom(2048)\n"
                                      "    s.sendto(b'pong' + data, peer)\n"});
  const std::string udp_7 = "probe = \"udp\"\nport = 7\npayload = \"ping\"\nexpect = \"pongping\"";
  const auto daemon =
      start_daemon({.rest = target("icmp4", Lab::server4) + target("icmp6", Lab::server6) +
                            target("tcp4", Lab::server4, tcp_8080) + target("tcp6", Lab::server6, tcp_8080) +
                            target("udp4", Lab::server4, udp_7) + target("udp6", Lab::server6, udp_7) +
                            target("arp4", Lab::server4, "probe = \"arp\"") +
                            target("nd6", Lab::server6, "probe = \"arp\"")});
  for (const auto* name : {"icmp4", "icmp6", "tcp4", "tcp6", "udp4", "udp6", "arp4", "nd6"}) {
    EXPECT_TRUE(turns(name, "up")) << the_target(name).dump() << log(daemon);
    EXPECT_GT(the_target(name).at("rtt_seconds"), 0) << name;
  }
  EXPECT_EQ(lab.server.must_run({"ss", "-Htan", "state", "established", "sport", "=", "8080"}), "")
      << "a probe left a connection";
  EXPECT_EQ(count(), 0U) << "probes are no flows";
}

struct Cut {
  const char* name;
  const char* probe;
  std::function<void(const Netns&server, const Netns&router)> cut, mend;
};

class CutOff : public Health, public ::testing::WithParamInterface<Cut> {};

std::vector<Cut> cuts() {
  const auto nft = [](const std::string& rule) {
    return [rule](const Netns& server, const Netns&) { cut_off(server, rule); };
  };
  const auto no_nft = [](const Netns& server, const Netns&) {
    server.must_run({"nft", "delete", "table", "inet", "cut"});
  };
  return {
      {"LinkDownAtTheServer", "probe = \"icmp\"",
       [](const auto& server, const auto&) { server.ip("link set server0 down"); },
       [](const auto& server, const auto&) { server.ip("link set server0 up"); }},
      {"LinkDownAtTheRouter", "probe = \"icmp\"",
       [](const auto&, const auto& router) { router.ip("link set wan0 down"); },
       [](const auto&, const auto& router) { router.ip("link set wan0 up"); }},
      {"AddressRemoved", "probe = \"icmp\"",
       [](const auto& server, const auto&) { server.ip("address del 198.18.2.2/24 dev server0"); },
       [](const auto& server, const auto&) { server.ip("address add 198.18.2.2/24 dev server0"); }},
      {"EchoDropped", "probe = \"icmp\"", nft("icmp type echo-request drop"), no_nft},
      {"PortRejected", "probe = \"tcp\"\nport = 8080",
       nft("tcp dport 8080 reject with icmp type port-unreachable"), no_nft},
      {"SynDropped", "probe = \"tcp\"\nport = 8080", nft("tcp dport 8080 drop"), no_nft},
      {"BlackHole", "probe = \"icmp\"",
       [](const auto&, const auto& router) { router.ip("route add blackhole 198.18.2.2/32"); },
       [](const auto&, const auto& router) { router.ip("route del blackhole 198.18.2.2/32"); }},
  };
}

INSTANTIATE_TEST_SUITE_P(, CutOff, ::testing::ValuesIn(cuts()),
                         [](const auto& test) { return test.param.name; });

TEST_P(CutOff, IsNoticedAndSoIsItsEnd) {
  const auto web = listen_tcp(lab.server, Lab::server4, 8080);
  const auto daemon = start_daemon({.rest = target("server", Lab::server4, GetParam().probe)});
  ASSERT_TRUE(turns("server", "up")) << log(daemon);
  GetParam().cut(lab.server, lab.router);
  EXPECT_TRUE(turns("server", "down")) << the_target("server").dump();
  GetParam().mend(lab.server, lab.router);
  EXPECT_TRUE(turns("server", "up")) << the_target("server").dump();
  EXPECT_EQ(scrape().sum("xdpflowd_target_up"), 1);
}

TEST_F(Health, AServiceThatStoppedIsRefused) {
  std::optional<UniqueFd> web(listen_tcp(lab.server, Lab::server4, 8080));
  const auto daemon =
      start_daemon({.rest = target("web", Lab::server4, tcp_8080) +
                            target("any", Lab::server6, std::string(tcp_8080) + "\non_refused = \"up\"")});
  ASSERT_TRUE(turns("web", "up"));
  EXPECT_TRUE(turns("any", "up")) << "a refusal is up by its configuration";
  web.reset();
  EXPECT_TRUE(turns("web", "down"));
  EXPECT_EQ(the_target("web").at("last_error"), "connection refused");
}

TEST_F(Health, EverybodyIsTold) {
  const std::string told = folder.file("told"), events = folder.file("events.sock");
  const auto daemon = start_daemon(
      {.rest = "[health]\nevents = \"" + events + "\"\n" +
               target("server", Lab::server4,
                      "on_change = [\"/bin/sh\", \"-c\", \"echo $XDPFLOWD_TARGET $XDPFLOWD_OLD $XDPFLOWD_NEW "
                      "$XDPFLOWD_REASON >> " +
                          told + "\"]")});
  const Background listener({"python3", "-u", "-c",
                             "import socket, sys\n"
                             "s = socket.socket(socket.AF_UNIX)\n"
                             "s.connect(sys.argv[1])\n"
                             "while data := s.recv(4096): print(data.decode(), end='')\n",
                             events});
  ASSERT_TRUE(turns("server", "up"));
  firewall("icmp type echo-request drop");
  ASSERT_TRUE(turns("server", "down"));
  EXPECT_TRUE(eventually(patience, [&] {
    return read_file(told) == "server unknown up reply\nserver up down timeout\n";
  })) << read_file(told);
  EXPECT_TRUE(eventually(patience, [&] {
    return listener.out().find("\"new\":\"down\"") != std::string::npos;
  })) << listener.out();
  EXPECT_THAT(log(daemon), HasSubstr("target server (198.18.2.2, icmp): up -> down: timeout, decided "));
  const auto page = scrape();
  EXPECT_EQ(page.sum("xdpflowd_target_up"), 0);
  EXPECT_EQ(page.sum("xdpflowd_target_transitions_total"), 2);
}

TEST_F(Health, ATargetBeyondAGatewayIsProbedThroughIt) {
  lab.server.ip("address add 203.0.113.7/32 dev lo");
  lab.router.ip("route add 203.0.113.0/24 via 198.18.2.2");
  const auto daemon = start_daemon({.rest = target("far", "203.0.113.7") + target("farther", "203.0.113.8")});
  EXPECT_TRUE(turns("far", "up")) << the_target("far").dump();
  EXPECT_TRUE(turns("farther", "down")) << the_target("farther").dump();
}

/// The kernel asks for the next hop over and over: who looks just then learns no more than that.
TEST_F(Health, AllThatAreBehindADeadNextHopGoDownNotOneAfterTheOther) {
  constexpr int number = 30;
  lab.router.ip("route add 203.0.113.0/24 via 198.18.2.77");
  std::string all;
  for (int i = 1; i <= number; ++i) all += target("t" + std::to_string(i), "203.0.113." + std::to_string(i));
  const auto daemon = start_daemon({.rest = all});
  EXPECT_TRUE(eventually(patience, [&] {
    const auto seen = targets();
    return std::ranges::count(seen, "down", [](const Json& each) { return each.at("state"); }) == number;
  })) << targets().dump();
}

TEST_F(Health, AnAddressThatWasTakenAwayIsNoLongerProbedFrom) {
  lab.router.ip("address add 198.18.2.50/24 dev wan0");
  const auto daemon =
      start_daemon({.rest = target("echo", Lab::server4, "source = \"198.18.2.50\"") +
                            target("neighbour", Lab::server4, "probe = \"arp\"\nsource = \"198.18.2.50\"")});
  for (const auto* name : {"echo", "neighbour"}) ASSERT_TRUE(turns(name, "up")) << log(daemon);
  lab.router.ip("address del 198.18.2.50/24 dev wan0");
  for (const auto* name : {"echo", "neighbour"})
    EXPECT_TRUE(fails_by(name, "no own address to probe from")) << the_target(name).dump();
  EXPECT_TRUE(eventually(patience, [&] { return the_target("echo").at("stale").get<bool>(); }))
      << "nobody probes it";
  lab.router.ip("address add 198.18.2.50/24 dev wan0");
  for (const auto* name : {"echo", "neighbour"}) EXPECT_TRUE(turns(name, "up")) << log(daemon);
}

TEST_F(Health, AProbeFollowsItsRouteToAnotherSource) {
  lab.server.ip("address add 203.0.113.7/32 dev lo");
  lab.router.ip("address add 198.18.2.50/24 dev wan0\nroute add 203.0.113.7 via 198.18.2.2 src 198.18.2.50");
  const auto daemon = start_daemon({.rest = target("far", "203.0.113.7")});
  ASSERT_TRUE(turns("far", "up")) << log(daemon);
  firewall("ip saddr 198.18.2.50 drop");
  ASSERT_TRUE(turns("far", "down"));
  lab.router.ip("route replace 203.0.113.7 via 198.18.2.2 src 198.18.2.1");
  EXPECT_TRUE(turns("far", "up")) << "it is told of a change, not found within a minute";
}

TEST_F(Health, OfTwoProbesThatLookAlikeOneIsRefusedByName) {
  const auto daemon = start_daemon(
      {.rest = target("one", Lab::server4) + target("other", Lab::server4, "source = \"198.18.2.1\"")});
  EXPECT_TRUE(turns("one", "up")) << log(daemon);
  EXPECT_TRUE(fails_by(
      "other",
      "another target has the same probe; give both the same source and interface, so that they share it"))
      << the_target("other").dump();
  EXPECT_THAT(log(daemon), HasSubstr("target other (198.18.2.2) is not probed: another target"));
}

TEST_F(Health, ATargetOfAVrfIsProbedThroughIt) {
  if (lab.router.run({"ip", "link", "add", "red", "type", "vrf", "table", "100"}).status != 0)
    GTEST_SKIP() << "this kernel has no VRF";
  lab.router.ip(
      "link set red up\nlink set wan0 master red\naddress add 2001:db8:2::1/64 dev wan0 nodad\n"
      "route add unreachable 198.18.2.0/24");
  const auto web = listen_tcp(lab.server, Lab::server4, 8080);
  const std::string through = "\ninterface = \"red\"";
  const auto daemon = start_daemon({.rest = target("main", Lab::server4) +
                                            target("red4", Lab::server4, "probe = \"icmp\"" + through) +
                                            target("red6", Lab::server6, "probe = \"icmp\"" + through) +
                                            target("web", Lab::server4, tcp_8080 + through)});
  for (const auto* name : {"red4", "red6", "web"})
    EXPECT_TRUE(turns(name, "up")) << the_target(name).dump() << log(daemon);
  EXPECT_TRUE(turns("main", "down")) << "the main table has no route to it: " << the_target("main").dump();
}

TEST_F(Health, WorksInGenericMode) {
  const auto web = listen_tcp(lab.server, Lab::server4, 8080);
  const auto daemon =
      start_daemon({.interfaces = interface("wan0", "mode = \"generic\"") + interface("lan0"),
                    .rest = target("ping", Lab::server4) + target("web", Lab::server4, tcp_8080)});
  EXPECT_TRUE(turns("ping", "up"));
  EXPECT_TRUE(turns("web", "up"));
  EXPECT_TRUE(eventually(patience, [&] { return the_target("web").at("probes_sent") > 20; }));
  EXPECT_EQ(state_of("web"), "up");
}

TEST_F(Health, ADeadNeighbourIsDownOnceTheKernelHasGivenUpOnIt) {
  const auto daemon = start_daemon({.rest = target("nobody", Lab::nobody4, "fall = 1")});
  EXPECT_TRUE(fails_by("nobody", "asking for the next hop's address"));
  EXPECT_EQ(state_of("nobody"), "unknown");
  EXPECT_TRUE(turns("nobody", "down"));
  EXPECT_TRUE(eventually(patience, [&] {
    return log(daemon).find("unknown -> down: no answer to ARP or neighbour discovery") != std::string::npos;
  })) << log(daemon);
}

TEST_F(Health, WhatCannotBeProbedIsSaidAndNeitherUpNorDown) {
  const auto daemon = start_daemon({.interfaces = interface("lan0"),
                                    .rest = target("elsewhere", Lab::server4) + target("self", Lab::wan4) +
                                            target("client", Lab::client4) + target("noroute", "10.99.0.1")});
  EXPECT_TRUE(turns("client", "up"));
  EXPECT_THAT(log(daemon),
              AllOf(HasSubstr("target elsewhere (198.18.2.2) is not probed: replies would arrive on"),
                    HasSubstr("target self (198.18.2.1) is not probed: is an address of this machine")));
  EXPECT_EQ(state_of("elsewhere"), "unknown");
  EXPECT_EQ(state_of("self"), "unknown");
  EXPECT_TRUE(turns("noroute", "down"));
  EXPECT_EQ(the_target("noroute").at("last_error"), "no route");
}

TEST_F(Health, TheRoutersOwnUsersAreNotDisturbed) {
  const WebServer web(lab.server, 8080, 100'000);
  const auto daemon =
      start_daemon({.rest = target("ping", Lab::server4) + target("web", Lab::server4, tcp_8080)});
  ASSERT_TRUE(turns("web", "up"));
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(http_get(lab.router, Lab::server4, 8080, "/").body.size(), 100'000U);
    EXPECT_EQ(lab.router.run({"ping", "-q", "-c", "2", "-i", "0.2", Lab::server4}).status, 0);
  }
  EXPECT_EQ(the_target("web").at("probes_failed"), 0);
}

TEST_F(Health, TwoDaemonsOnOneNetworkTakeNoRepliesOfTheOther) {
  const auto web = listen_tcp(lab.server, Lab::server4, 8080);
  lab.client.set("ipv4/ip_forward", "1");
  attach_foreign_program(lab.router, "lan0");
  const auto here =
      start_daemon({.interfaces = interface("wan0"),
                    .rest = target("ping", Lab::server4) + target("web", Lab::server4, tcp_8080)});
  const Bpffs other;
  const std::string config = folder.file("other.toml");
  std::ofstream(config) << "[daemon]\nstate_dir = \"" << other.state_dir()
                        << "\"\n[zone.default]\nmax_flows = 4096\nmax_half_open = 4096\n"
                        << interface("client0") << target("ping", Lab::server4)
                        << target("web", Lab::server4, tcp_8080);
  auto there = lab.client.start({XDPFLOWD, "--config", config});
  ASSERT_TRUE(there.wait_for_output("is ready", patience)) << log(there);
  ASSERT_TRUE(there.wait_for_output("target web (198.18.2.2, tcp port 8080): unknown -> up", patience))
      << log(there);
  ASSERT_TRUE(turns("web", "up"));
  const auto sent = the_target("web").at("probes_sent").get<uint64_t>();
  EXPECT_TRUE(eventually(patience, [&] { return the_target("web").at("probes_sent") > sent + 40; }));
  for (const auto* name : {"ping", "web"}) {
    EXPECT_EQ(the_target(name).at("late"), 0) << name;
    EXPECT_EQ(the_target(name).at("probes_failed"), 0) << name;
  }
  EXPECT_THAT(log(there), Not(HasSubstr("down")));
}

TEST_F(Health, ThousandsOfTargetsAreProbedAtOnceAndAllAreTold) {
  constexpr unsigned thousands = 2;
  lab.server.ip("route add local 10.64.0.0/16 dev lo");
  lab.router.ip("route add 10.64.0.0/16 via 198.18.2.2");
  std::string many;
  for (unsigned i = 0; i < thousands * 1000; ++i)
    many += "[[target]]\nname = \"t" + std::to_string(i) + "\"\naddress = \"10.64." +
            std::to_string(i / 250) + "." + std::to_string(i % 250 + 1) + "\"\n";
  const auto daemon = start_daemon({.rest = many});
  const auto up = [&] { return scrape().sum("xdpflowd_target_up"); };
  EXPECT_TRUE(eventually(patience, [&] { return up() == thousands * 1000; })) << up();
  firewall("icmp type echo-request drop");
  EXPECT_TRUE(eventually(patience, [&] { return up() == 0; })) << up();
  EXPECT_TRUE(eventually(patience, [&] {
    const auto lines = log(daemon);
    size_t told = 0;
    for (size_t at = 0; (at = lines.find(": up -> down", at)) != std::string::npos; ++at) ++told;
    return told == thousands * 1000;
  })) << "an event was lost";
}

}  // namespace
}  // namespace xdpflowd::test
