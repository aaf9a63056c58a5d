// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/interface_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "xdpflow/abi.h"

namespace xdpflowd {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Link device(const std::string& name, const std::string& kind = "") {
  Link link;
  link.name = name;
  link.kind = kind;
  return link;
}

InterfaceSettings entry(const std::string& name, const std::string& zone = "default",
                        std::optional<uint16_t> vlan = {}, AttachMode mode = AttachMode::automatic) {
  return {name, vlan, zone, mode};
}

TEST(InterfaceChoice, ANameStaysWhetherTheDeviceIsThereOrNot) {
  EXPECT_THAT(chosen_devices({entry("wan0"), entry("lan0")}, {{device("lan0")}}),
              ElementsAre(entry("wan0"), entry("lan0")));
}

TEST(InterfaceChoice, APatternBecomesTheDevicesThatMatch) {
  const LinkTable links{{device("wan0"), device("lan0"), device("wan10"), device("wan1", "veth")}};
  EXPECT_THAT(chosen_devices({entry("wan*")}, links),
              ElementsAre(entry("wan0"), entry("wan10"), entry("wan1")));
  EXPECT_THAT(chosen_devices({entry("wan?")}, links), ElementsAre(entry("wan0"), entry("wan1")));
  EXPECT_THAT(chosen_devices({entry("[lw]an0")}, links), ElementsAre(entry("wan0"), entry("lan0")));
  EXPECT_THAT(chosen_devices({entry("ppp*")}, links), IsEmpty());
}

TEST(InterfaceChoice, ANameWinsOverAPatternAndAnEarlierPatternOverALater) {
  const LinkTable links{{device("wan0"), device("wan1")}};
  EXPECT_THAT(chosen_devices({entry("wan*", "red"), entry("wan0", "blue"), entry("*", "green")}, links),
              ElementsAre(entry("wan0", "blue"), entry("wan1", "red")));
}

TEST(InterfaceChoice, ANamedVlanLeavesTheUntaggedFramesToThePattern) {
  const LinkTable links{{device("wan0"), device("wan1")}};
  const auto vlan10 = entry("wan0", "red", 10, AttachMode::generic);
  EXPECT_THAT(chosen_devices({vlan10, entry("wan*")}, links),
              ElementsAre(vlan10, entry("wan0", "default", {}, AttachMode::generic), entry("wan1")));
}

TEST(InterfaceChoice, APatternLeavesTheLoopbackAndStackedDevicesAlone) {
  Link loopback = device("lo");
  loopback.loopback = true;
  const LinkTable links{{loopback, device("eth0"), device("eth0.10", "vlan"), device("br0", "bridge"),
                         device("bond0", "bond"), device("vrf0", "vrf"), device("mac0", "macvlan")}};
  EXPECT_THAT(chosen_devices({entry("*")}, links), ElementsAre(entry("eth0")));
  EXPECT_THAT(chosen_devices({entry("br0")}, links), ElementsAre(entry("br0")));
}

TEST(InterfaceChoice, PatternsMatchNoMoreDevicesThanThereIsRoomFor) {
  LinkTable links;
  for (int i = 0; i < 300; ++i) links.links.push_back(device("ppp" + std::to_string(i)));
  const auto chosen = chosen_devices({entry("ppp299"), entry("ppp*"), entry("p*", "default", 10)}, links);
  EXPECT_EQ(chosen.size(), 2U * XF_INTERFACES_MAX);
  EXPECT_EQ(chosen.front(), entry("ppp299"));
}

}  // namespace
}  // namespace xdpflowd
