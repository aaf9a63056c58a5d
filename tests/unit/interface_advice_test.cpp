// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/interface_advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <ostream>

namespace xdpflowd {
namespace {

using testing::IsEmpty;

constexpr uint32_t no_master = 0;

Link device(uint32_t ifindex, const std::string& name, uint32_t master = no_master,
            const std::string& kind = "") {
  Link link;
  link.ifindex = ifindex;
  link.name = name;
  link.kind = kind;
  link.master = master;
  return link;
}

Link vlan(uint32_t ifindex, const std::string& name, uint32_t lower, uint16_t id,
          uint32_t master = no_master) {
  Link link = device(ifindex, name, master, "vlan");
  link.lower = lower;
  link.vlan_id = id;
  return link;
}

InterfaceSettings entry(const std::string& name, const std::string& zone = "default",
                        std::optional<uint16_t> vlan = std::nullopt) {
  return {name, vlan, zone, AttachMode::automatic};
}

struct Case {
  const char* name;
  std::vector<InterfaceSettings> interfaces;
  std::vector<Link> links;
  bool offload;
  std::vector<std::string> advice;

  friend std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }
};

class InterfaceAdvice : public testing::TestWithParam<Case> {};

TEST_P(InterfaceAdvice, Is) {
  Settings settings;
  settings.interfaces = GetParam().interfaces;
  const auto advice =
      interface_advice(settings, {GetParam().links}, [](const auto&) { return GetParam().offload; });
  EXPECT_THAT(advice, testing::ElementsAreArray(GetParam().advice));
}

const std::string hidden_on_eth0 =
    "eth0: rx-vlan-offload hides VLAN tags from XDP: run `ethtool -K eth0 rxvlan off`";
const std::string becomes_one_way =
    "): a conversation between them becomes two one-way flows; give all interfaces of one routing table the "
    "same "
    "zone";

INSTANTIATE_TEST_SUITE_P(
    Devices, InterfaceAdvice,
    testing::Values(
        Case{"OrdinaryInterfacesInOneZoneAreFine",
             {entry("wan0"), entry("lan0")},
             {device(2, "wan0"), device(3, "lan0")},
             true,
             {}},
        Case{"MissingInterface",
             {entry("wan0"), entry("ppp0")},
             {device(2, "wan0")},
             true,
             {"ppp0: no such interface; attached when it appears"}},
        Case{"SaidOncePerInterface",
             {entry("ppp0"), entry("ppp0", "default", 5)},
             {},
             true,
             {"ppp0: no such interface; attached when it appears"}},
        Case{"VlanDeviceAboveAndOffload",
             {entry("eth0")},
             {device(2, "eth0"), vlan(3, "eth0.10", 2, 10)},
             true,
             {hidden_on_eth0}},
        Case{"VlanDeviceAboveWithoutOffload",
             {entry("eth0")},
             {device(2, "eth0"), vlan(3, "eth0.10", 2, 10)},
             false,
             {}},
        Case{"VlanDeviceAboveAnotherInterface",
             {entry("eth0")},
             {device(2, "eth0"), device(4, "eth1"), vlan(3, "eth1.10", 4, 10)},
             true,
             {}},
        Case{"VlanDeviceAboveTheBondOfAPort",
             {entry("eth0")},
             {device(2, "eth0", 4), device(4, "bond0", 0, "bond"), vlan(5, "bond0.10", 4, 10)},
             true,
             {hidden_on_eth0}},
        Case{"VlanOnlyInTheConfiguration",
             {entry("eth0", "default", 10)},
             {device(2, "eth0")},
             true,
             {hidden_on_eth0}},
        Case{"AVethsTagIsHiddenByItsPeerToo",
             {entry("eth0")},
             {device(2, "eth0", 0, "veth"), vlan(3, "eth0.10", 2, 10)},
             true,
             {hidden_on_eth0 + " and, where its peer is, `ethtool -K PEER txvlan off`"}},
        Case{"AVethsPeerIsNoVlan",
             {entry("eth0")},
             {device(2, "eth0", 0, "veth"),
              [] {
                Link peer = device(3, "eth1", 0, "veth");
                peer.lower = 2;
                return peer;
              }()},
             true,
             {}},
        Case{"Bond",
             {entry("bond0")},
             {device(2, "eth0", 4), device(3, "eth1", 4), device(4, "bond0", 0, "bond"),
              vlan(5, "bond0.10", 4, 10)},
             true,
             {"bond0 is a bond: better attach its ports (eth0, eth1), where XDP can run in the driver"}},
        Case{"BridgeWithoutPorts",
             {entry("br0")},
             {device(4, "br0", 0, "bridge")},
             true,
             {"br0 is a bridge: better attach its ports (none yet), where XDP can run in the driver"}},
        Case{"VlanDevice",
             {entry("lan.10")},
             {device(2, "eth0"), vlan(3, "lan.10", 2, 10)},
             true,
             {"lan.10 is a VLAN device: better attach eth0 with vlan = 10, where XDP can run in the driver"}},
        Case{"VlanDeviceMovedAwayFromItsLowerDevice",
             {entry("lan.10")},
             {vlan(3, "lan.10", 0, 10)},
             true,
             {"lan.10 is a VLAN device: better attach the device below it with vlan = 10, where XDP can run "
              "in the "
              "driver"}}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Zones, InterfaceAdvice,
    testing::Values(
        Case{"OneMainTableTwoZones",
             {entry("wan0", "a"), entry("lan0", "b")},
             {device(2, "wan0"), device(3, "lan0")},
             false,
             {"zones \"a\" and \"b\" share a routing table (wan0 and lan0, outside of any VRF" +
              becomes_one_way}},
        Case{
            "OncePerPairOfZones",
            {entry("e1", "b"), entry("e2", "a"), entry("e3", "b"), entry("e4", "c")},
            {device(1, "e1"), device(2, "e2"), device(3, "e3"), device(4, "e4")},
            false,
            {"zones \"b\" and \"a\" share a routing table (e1 and e2, outside of any VRF" + becomes_one_way,
             "zones \"b\" and \"c\" share a routing table (e1 and e4, outside of any VRF" + becomes_one_way,
             "zones \"a\" and \"c\" share a routing table (e2 and e4, outside of any VRF" + becomes_one_way}},
        Case{"EachItsOwnVrf",
             {entry("e1", "a"), entry("e2", "b"), entry("e3", "c")},
             {device(1, "e1", 8), device(2, "e2", 9), device(3, "e3"), device(8, "red", 0, "vrf"),
              device(9, "blue", 0, "vrf")},
             false,
             {}},
        Case{"OneVrfTwoZones",
             {entry("e1", "a"), entry("e2", "b")},
             {device(1, "e1", 8), device(2, "e2", 8), device(8, "red", 0, "vrf")},
             false,
             {"zones \"a\" and \"b\" share a routing table (e1 and e2, of VRF red" + becomes_one_way}},
        Case{"AVrfIsFoundThroughABridge",
             {entry("e1", "a"), entry("e2", "b")},
             {device(1, "e1", 5), device(5, "br0", 8, "bridge"), device(2, "e2"), device(8, "red", 0, "vrf")},
             false,
             {}},
        Case{"ATrunksVlanHasTheVrfOfItsDevice",
             {entry("eth0", "a"), entry("eth0", "b", 10), entry("eth1", "b")},
             {device(2, "eth0"), vlan(3, "eth0.10", 2, 10, 8), device(4, "eth1", 8),
              device(8, "red", 0, "vrf")},
             false,
             {}},
        Case{"ATrunksVlanInTheMainTable",
             {entry("eth0", "a"), entry("eth0", "b", 10)},
             {device(2, "eth0"), vlan(3, "eth0.10", 2, 10)},
             false,
             {"zones \"a\" and \"b\" share a routing table (eth0 and eth0 vlan 10, outside of any VRF" +
              becomes_one_way}},
        Case{"ATrunksVlanWithoutADeviceIsUnknown",
             {entry("eth0", "a"), entry("eth0", "b", 10)},
             {device(2, "eth0"), vlan(3, "eth0.20", 2, 20)},
             false,
             {}},
        Case{"AMissingInterfaceSharesNothing",
             {entry("eth0", "a"), entry("ppp0", "b")},
             {device(2, "eth0")},
             false,
             {"ppp0: no such interface; attached when it appears"}}),
    [](const auto& info) { return info.param.name; });

TEST(InterfaceAdviceQuery, IsMadeOnlyWhereItMatters) {
  Settings settings;
  settings.interfaces = {entry("eth0"), entry("ppp0"), entry("bond0")};
  const LinkTable links{{device(2, "eth0"), device(3, "bond0", 0, "bond")}};
  std::vector<std::string> asked;
  interface_advice(settings, links, [&](const std::string& name) {
    asked.push_back(name);
    return true;
  });
  EXPECT_THAT(asked, IsEmpty());
}

TEST(LinkTable, FindsByNameAndByIndex) {
  const LinkTable links{{device(2, "eth0"), device(3, "eth1")}};
  EXPECT_EQ(links.find("eth1"), &links.links[1]);
  EXPECT_EQ(links.find(2U), &links.links[0]);
  EXPECT_EQ(links.find("eth2"), nullptr);
  EXPECT_EQ(links.find(0U), nullptr);
}

}  // namespace
}  // namespace xdpflowd
