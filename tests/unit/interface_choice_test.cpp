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

InterfaceSettings written(const std::string& name, const std::string& zone = "default",
                          std::optional<uint16_t> vlan = {}, AttachMode mode = AttachMode::automatic) {
  return {name, vlan, zone, mode};
}

TEST(InterfaceChoice, ANameStaysWhetherTheDeviceIsThereOrNot) {
  EXPECT_THAT(chosen_devices({written("wan0"), written("lan0")}, {{device("lan0")}}),
              ElementsAre(written("wan0"), written("lan0")));
}

TEST(InterfaceChoice, APatternBecomesTheDevicesThatMatch) {
  const LinkTable links{{device("wan0"), device("lan0"), device("wan10"), device("wan1", "veth")}};
  EXPECT_THAT(chosen_devices({written("wan*")}, links),
              ElementsAre(written("wan0"), written("wan10"), written("wan1")));
  EXPECT_THAT(chosen_devices({written("wan?")}, links), ElementsAre(written("wan0"), written("wan1")));
  EXPECT_THAT(chosen_devices({written("[lw]an0")}, links), ElementsAre(written("wan0"), written("lan0")));
  EXPECT_THAT(chosen_devices({written("ppp*")}, links), IsEmpty());
}

TEST(InterfaceChoice, ANameWinsOverAPatternAndAnEarlierPatternOverALater) {
  const LinkTable links{{device("wan0"), device("wan1")}};
  EXPECT_THAT(chosen_devices({written("wan*", "red"), written("wan0", "blue"), written("*", "green")}, links),
              ElementsAre(written("wan0", "blue"), written("wan1", "red")));
}

TEST(InterfaceChoice, ANamedVlanLeavesTheUntaggedFramesToThePattern) {
  const LinkTable links{{device("wan0"), device("wan1")}};
  const auto vlan10 = written("wan0", "red", 10, AttachMode::generic);
  EXPECT_THAT(chosen_devices({vlan10, written("wan*")}, links),
              ElementsAre(vlan10, written("wan0", "default", {}, AttachMode::generic), written("wan1")));
}

TEST(InterfaceChoice, APatternLeavesTheLoopbackAndStackedDevicesAlone) {
  Link loopback = device("lo");
  loopback.loopback = true;
  const LinkTable links{{loopback, device("eth0"), device("eth0.10", "vlan"), device("br0", "bridge"),
                         device("bond0", "bond"), device("vrf0", "vrf"), device("mac0", "macvlan")}};
  EXPECT_THAT(chosen_devices({written("*")}, links), ElementsAre(written("eth0")));
  EXPECT_THAT(chosen_devices({written("br0")}, links), ElementsAre(written("br0")));
}

TEST(InterfaceChoice, PatternsMatchNoMoreDevicesThanThereIsRoomFor) {
  LinkTable links;
  for (int i = 0; i < 300; ++i) links.links.push_back(device("ppp" + std::to_string(i)));
  const auto chosen =
      chosen_devices({written("ppp299"), written("ppp*"), written("p*", "default", 10)}, links);
  EXPECT_EQ(chosen.size(), 2U * XF_INTERFACES_MAX);
  EXPECT_EQ(chosen.front(), written("ppp299"));
}

}  // namespace
}  // namespace xdpflowd
