// SPDX-License-Identifier: GPL-2.0-or-later
// Devices come, go, change their names and are taken over by others: a running daemon follows.
#include <gmock/gmock.h>

#include <filesystem>

#include "daemon_lab.h"
#include "foreign_program.h"
#include "sockets.h"

namespace xdpflowd::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Follow : public PlainLab {
 protected:
  static std::string log(const Background& daemon) { return daemon.err() + daemon.out(); }

  void add_device(const std::string& name) const {
    lab.router.ip("link add " + name + " type veth peer name " + name + "p\nlink set " + name +
                  "p up\nlink set " + name + " up");
  }

  bool mode_becomes(const std::string& name, const std::string& wanted) const {
    return eventually(patience, [&] { return mode_of(name) == wanted; });
  }

  /// While it is up where the kernel allows that (6.2).
  void rename(const std::string& name, const std::string& wanted) const {
    if (run({"ip", "-n", lab.router.name(), "link", "set", name, "name", wanted}).status == 0) return;
    lab.router.ip("link set " + name + " down\nlink set " + name + " name " + wanted + "\nlink set " +
                  wanted + " up");
  }

  /// One frame of a UDP flow, into the device of the router from its peer there; which drops all until the
  /// kernel has seen its carrier, up to a second late.
  void send_from(const std::string& peer, uint16_t port) const {
    const Argv show = {"ip", "-n", lab.router.name(), "-json", "link", "show", peer};
    ASSERT_TRUE(
        eventually(patience, [&] { return Json::parse(must_run(show)).at(0).at("operstate") == "UP"; }));
    FrameSender(lab.router, peer).send(udp().from(Lab::client4, port).to(Lab::server4, 53));
  }

  void send_into(const std::string& device, uint16_t port) const { send_from(device + "p", port); }

  static size_t dispatchers() {
    size_t found = 0;
    std::error_code none;
    for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/sys/fs/bpf/xdp", none))
      ++found;
    return found;
  }
};

TEST_F(Follow, ADeviceThatAppearsIsAttachedAndTracks) {
  const auto daemon = start_daemon({.interfaces = lan_and_wan + interface("ppp0")});
  EXPECT_EQ(mode_of("ppp0"), "detached");
  EXPECT_THAT(log(daemon), HasSubstr("ppp0: no such interface; attached when it appears"));
  add_device("ppp0");
  ASSERT_TRUE(mode_becomes("ppp0", "native")) << log(daemon);
  send_into("ppp0", 4000);
  EXPECT_TRUE(becomes(1, {"--port", "4000"}));
}

TEST_F(Follow, OneThatIsMadeAnewKeepsItsCountersAndNothingOfTheOldIsLeft) {
  auto daemon = start_daemon({.interfaces = lan_and_wan + interface("ppp0")});
  const auto before = dispatchers();
  for (uint16_t round = 1; round <= 5; ++round) {
    add_device("ppp0");
    ASSERT_TRUE(mode_becomes("ppp0", "native")) << log(daemon);
    send_into("ppp0", 4000 + round);
    ASSERT_TRUE(becomes(round));
    EXPECT_EQ(scrape().at("xdpflowd_packets_total{interface=\"ppp0\",verdict=\"created\"}"), round);
    lab.router.ip("link del ppp0");
    ASSERT_TRUE(mode_becomes("ppp0", "detached")) << log(daemon);
    EXPECT_TRUE(eventually(patience, [&] { return dispatchers() == before; }));
  }
  EXPECT_THAT(log(daemon), HasSubstr("ppp0 is gone"));
  EXPECT_EQ(stop_daemon(daemon), 0);
  must_ctl({"unload"});
  EXPECT_EQ(dispatchers(), 0U);
}

TEST_F(Follow, ARenamedDeviceIsKnownByItsNewName) {
  const auto daemon =
      start_daemon({.interfaces = lan_and_wan + interface("uplink", "zone = \"red\"") + interface("eth7"),
                    .rest = "[zone.default]\nmax_flows = 4096\n[zone.red]\nmax_flows = 4096\n"});
  add_device("eth7");
  ASSERT_TRUE(mode_becomes("eth7", "native"));
  const Json program = attached("eth7");
  rename("eth7", "uplink");
  ASSERT_TRUE(mode_becomes("uplink", "native")) << log(daemon);
  EXPECT_EQ(mode_of("eth7"), "detached");
  EXPECT_EQ(attached("uplink"), program) << "the program stays where it is";
  send_from("eth7p", 4000);
  EXPECT_TRUE(becomes(1, {"--zone", "red"}));
  rename("uplink", "other");
  ASSERT_TRUE(mode_becomes("uplink", "detached"));
  EXPECT_TRUE(eventually(patience, [&] { return attached("other") == Json(); }));
  EXPECT_THAT(log(daemon), HasSubstr("uplink is called other now"));
}

TEST_F(Follow, APatternTakesWhatMatchesNowAndLater) {
  lab.router.ip("link add wan9 type bridge");
  const auto daemon =
      start_daemon({.interfaces = interface("lan0") + interface("wan*") + interface("wan5", "zone = \"red\""),
                    .rest = "[zone.default]\nmax_flows = 4096\n[zone.red]\nmax_flows = 4096\n"});
  EXPECT_EQ(mode_of("wan0"), "native");
  add_device("wan4");
  add_device("wan5");
  ASSERT_TRUE(mode_becomes("wan4", "native")) << log(daemon);
  ASSERT_TRUE(mode_becomes("wan5", "native")) << log(daemon);
  send_into("wan4", 4000);
  send_into("wan5", 5000);
  EXPECT_TRUE(becomes(1, {"--zone", "default", "--port", "4000"}));
  EXPECT_TRUE(becomes(1, {"--zone", "red", "--port", "5000"}));
  // Their peers match too; the bridge would see again what its ports have seen.
  EXPECT_EQ(mode_of("wan4p"), "native");
  EXPECT_EQ(mode_of("wan9"), "");
  EXPECT_EQ(attached("wan9"), Json());
}

TEST_F(Follow, WithAPatternTheDaemonWaitsForTheFirstDevice) {
  auto daemon = start_daemon({.interfaces = interface("ppp*")});
  EXPECT_EQ(status()["interfaces"].size(), 0U);
  add_device("ppp0");
  ASSERT_TRUE(mode_becomes("ppp0", "native")) << log(daemon);
  send_into("ppp0", 4000);
  ASSERT_TRUE(becomes(1));
  kill_daemon(daemon);
  send_into("ppp0", 4001);
  const auto next = start_daemon({.interfaces = interface("ppp*")});
  EXPECT_EQ(count(), 2U);
  EXPECT_THAT(log(next), HasSubstr("it stays"));
}

TEST_F(Follow, AKilledDaemonWaitingForItsFirstDeviceLeavesNothingInTheWay) {
  auto daemon = start_daemon({.interfaces = interface("ppp*")});
  kill_daemon(daemon);
  const auto next = start_daemon({.interfaces = interface("ppp*")});
  add_device("ppp0");
  EXPECT_TRUE(mode_becomes("ppp0", "native")) << log(next);
}

TEST_F(Follow, WhatHappensWhileMessagesAreLostIsReadAnew) {
  auto daemon = start_daemon({.interfaces = lan_and_wan + interface("ppp0")});
  daemon.signal(SIGSTOP);
  std::string storm;
  for (int i = 0; i < 300; ++i) storm += "link add storm type bridge\nlink set storm up\nlink del storm\n";
  lab.router.ip(storm);
  add_device("ppp0");
  daemon.signal(SIGCONT);
  EXPECT_TRUE(mode_becomes("ppp0", "native")) << log(daemon);
}

TEST_F(Follow, AProgramThatSomebodyTookOffIsMissedAndComesBackByReload) {
  auto daemon = start_daemon();
  lab.router.must_run({"ip", "link", "set", "dev", "wan0", "xdp", "off"});
  ASSERT_TRUE(mode_becomes("wan0", "detached")) << log(daemon);
  EXPECT_THAT(log(daemon), HasSubstr("wan0: somebody else has taken the program off"));
  EXPECT_EQ(mode_of("lan0"), "native");
  lab.router.ip("link set wan0 mtu 1400");
  daemon.signal(SIGHUP);
  EXPECT_TRUE(mode_becomes("wan0", "native")) << log(daemon);
}

TEST_F(Follow, ADeviceThatAForeignProgramHeldIsAttachedWhenThatGoes) {
  attach_foreign_program(lab.router, "wan0");
  const auto daemon = start_daemon();
  EXPECT_EQ(mode_of("wan0"), "detached");
  EXPECT_THAT(log(daemon), HasSubstr("somebody_else"));
  lab.router.must_run({"ip", "link", "set", "dev", "wan0", "xdp", "off"});
  EXPECT_TRUE(mode_becomes("wan0", "native")) << log(daemon);
  EXPECT_THAT(log(daemon), Not(HasSubstr("taken the program off")));
}

}  // namespace
}  // namespace xdpflowd::test
