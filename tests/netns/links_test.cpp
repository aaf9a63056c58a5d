// SPDX-License-Identifier: GPL-2.0-or-later
// Kinds of links and ways of attaching to them.
#include <gmock/gmock.h>

#include "daemon_lab.h"
#include "forward_counters.h"
#include "sockets.h"

namespace xdpflowd::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class JumboLab : public DaemonLab {
 protected:
  JumboLab() : DaemonLab({.mtu = 9000, .segmentation_offload = false, .static_neighbours = true}) {}
};

TEST_F(JumboLab, FramesOf9000BytesAreCountedWhole) {
  const auto daemon = start_daemon();
  EXPECT_EQ(interface_status("lan0")["mode"], "native");
  const ForwardCounters counters(lab.router, {{"up", "tcp dport 8080"}, {"datagram", "udp dport 4000"}});
  const auto connection = open_tcp(lab, Lab::server4, 8080);
  connection.send_up(1'000'000);
  const auto sees_all = [&] {
    const Json flow = the_flow({"--protocol", "tcp"});
    return Counted{flow["packets_forward"], flow["bytes_forward"]} == counters.read("up");
  };
  EXPECT_TRUE(eventually(patience, sees_all)) << flows().dump(1);
  const Counted up = counters.read("up");
  EXPECT_GT(up.bytes / up.packets, 4096U) << "the test sent no jumbo frames";

  const auto client = udp_socket(lab.client, Lab::client6, 4000);
  const auto server = udp_socket(lab.server, Lab::server6, 4000);
  send_udp(client, Lab::server6, 4000, 8900);
  EXPECT_EQ(receive_udp(server), 8900U);
  EXPECT_EQ(the_flow({"--protocol", "udp"})["bytes_forward"], 40 + 8 + 8900);
}

TEST_F(PlainLab, TheSameAddressesInTwoVlansAreTwoFlowsInTheirZones) {
  std::string interfaces = lan_and_wan;
  for (const char* device : {"lan0", "wan0"})
    interfaces +=
        interface(device, "vlan = 10\nzone = \"red\"") + interface(device, "vlan = 20\nzone = \"blue\"");
  const auto daemon =
      start_daemon({.interfaces = interfaces,
                    .rest = "[zone.default]\nmax_flows = 4096\n[zone.red]\nmax_flows = 4096\n[zone.blue]\n"
                            "max_flows = 4096\n"});
  const FrameSender client(lab.client, "client0"), server(lab.server, "server0");
  const auto packet = [](uint16_t vlan) {
    return udp().from(Lab::client4, 5000).to(Lab::server4, 53).payload(vlan).vlan(vlan);
  };
  client.send(packet(10));
  server.send(packet(10).reversed());
  client.send(packet(20));

  ASSERT_TRUE(becomes(2)) << flows().dump(1);
  const Json red = the_flow({"--zone", "red"}), blue = the_flow({"--zone", "blue"});
  EXPECT_EQ(red["direction"], "both");
  EXPECT_EQ(red["bytes_forward"], packet(10).l3_bytes());
  EXPECT_EQ(red["bytes_reverse"], packet(10).l3_bytes());
  EXPECT_EQ(blue["direction"], "one-way");
  EXPECT_EQ(blue["bytes_forward"], packet(20).l3_bytes());
  EXPECT_EQ(red["source"], blue["source"]);
}

TEST_F(PlainLab, ATagOfAnotherVlanBelongsToTheZoneOfTheUntagged) {
  const auto daemon = start_daemon();
  const FrameSender client(lab.client, "client0");
  client.send(udp().from(Lab::client4, 5000).to(Lab::server4, 53).vlan(99));
  EXPECT_TRUE(becomes(1, {"--zone", "default"}));
}

TEST_F(PlainLab, OfAnInterfaceWithVlansOnlyTheUntaggedAreUntracked) {
  const auto daemon = start_daemon({.interfaces = interface("lan0", "vlan = 10")});
  const FrameSender client(lab.client, "client0");
  client.send(udp().from(Lab::client4, 5000).to(Lab::server4, 53));
  client.send(udp().from(Lab::client4, 5001).to(Lab::server4, 53).vlan(10));
  EXPECT_TRUE(becomes(1, {"--port", "5001"}));
  EXPECT_EQ(count(), 1U);
  EXPECT_GE(interface_status("lan0")["untracked"]["no_zone"], 1);
}

TEST_F(PlainLab, HiddenVlanTagsAreWarnedOfWithTheCommandThatShowsThem) {
  const auto daemon = start_daemon({.interfaces = lan_and_wan + interface("lan0", "vlan = 10")});
  EXPECT_THAT(daemon.err() + daemon.out(), HasSubstr("ethtool -K lan0 rxvlan off"));
}

TEST_F(DaemonLab, GenericModeWorksAndSaysSo) {
  const auto daemon = start_daemon(
      {.interfaces = interface("lan0", "mode = \"generic\"") + interface("wan0", "mode = \"generic\"")});
  EXPECT_EQ(interface_status("lan0")["mode"], "generic");
  EXPECT_THAT(must_ctl({"status"}), HasSubstr("generic"));
  auto connection = open_tcp(lab, Lab::server4, 8080);
  connection.send_up(100'000);
  EXPECT_TRUE(eventually(patience, [&] { return the_flow({"--port", "8080"})["bytes_forward"] > 100'000; }));
  connection.close();
  EXPECT_TRUE(becomes(1, {"--state", "TIME_WAIT"})) << flows().dump(1);
}

TEST_F(DaemonLab, NativeModeIsRefusedWhereTheDriverHasNone) {
  const Outcome outcome = run_daemon({.interfaces = interface("lo", "mode = \"native\"")});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err + outcome.out, HasSubstr("cannot attach in native mode"));
  EXPECT_EQ(attached("lo"), Json());
}

TEST_F(DaemonLab, AutoFallsBackToGenericModeWithAWarning) {
  const auto daemon = start_daemon({.interfaces = interface("lo")});
  EXPECT_EQ(interface_status("lo")["mode"], "generic");
  EXPECT_THAT(daemon.err() + daemon.out(), HasSubstr("generic mode is tried instead"));
  lab.router.must_run({"ping", "-q", "-c", "1", "127.0.0.1"});
  EXPECT_TRUE(becomes(1, {"--destination", "127.0.0.1"})) << flows().dump(1);
}

TEST_F(DaemonLab, OneInterfaceThatRefusesDoesNotStopTheOthers) {
  const auto daemon = start_daemon({.interfaces = interface("lo", "mode = \"native\"") + interface("lan0")});
  EXPECT_EQ(interface_status("lo")["mode"], "detached");
  EXPECT_EQ(interface_status("lan0")["mode"], "native");
}

TEST_F(DaemonLab, ABridgeIsWarnedOfWithItsPorts) {
  lab.router.ip(
      "link add br0 type bridge\nlink add port0 type veth peer name port1\nlink set port0 master br0");
  const auto daemon = start_daemon({.interfaces = lan_and_wan + interface("br0")});
  const std::string log = daemon.err() + daemon.out();
  EXPECT_THAT(log, HasSubstr("br0 is a bridge"));
  EXPECT_THAT(log, HasSubstr("port0"));
  EXPECT_THAT(log, Not(HasSubstr("lan0 is a")));
}

}  // namespace
}  // namespace xdpflowd::test
