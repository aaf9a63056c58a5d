// SPDX-License-Identifier: GPL-2.0-or-later
// What belongs to others: their XDP programs stay, their pins are not misread.
#include <bpf/bpf.h>
#include <gmock/gmock.h>
#include <sys/mount.h>

#include <filesystem>

#include "daemon_lab.h"
#include "foreign_program.h"
#include "sockets.h"

namespace xdpflowd::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Strangers : public DaemonLab {
 protected:
  static bool said(const Background& daemon, const std::string& text) {
    return (daemon.err() + daemon.out()).find(text) != std::string::npos;
  }
};

TEST_F(Strangers, AForeignProgramIsNamedAndNeverTornOff) {
  attach_foreign_program(lab.router, "lan0");
  const Json program = attached("lan0");
  ASSERT_NE(program, Json());
  const Outcome outcome = run_daemon({.interfaces = "[[interface]]\nname = \"lan0\"\n"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.out + outcome.err, AllOf(HasSubstr("lan0"), HasSubstr("somebody_else")));
  EXPECT_EQ(attached("lan0"), program);
}

TEST_F(Strangers, BesideAForeignProgramTheOtherInterfacesWorkAndUnloadLeavesItAlone) {
  attach_foreign_program(lab.router, "lan0");
  const Json program = attached("lan0");
  {
    auto daemon = start_daemon();
    EXPECT_EQ(interface_status("lan0")["mode"], "detached");
    EXPECT_EQ(interface_status("wan0")["mode"], "native");
    stop_daemon(daemon);
  }
  must_ctl({"unload"});
  EXPECT_EQ(attached("lan0"), program);
  EXPECT_EQ(attached("wan0"), Json());
}

TEST_F(Strangers, ATableWhosePinWasRemovedGivesItsFlowsToANewOne) {
  const DaemonConfig config = {.rest = "[timeouts]\nudp = \"1h\"\nicmp = \"1s\"\n"};
  {
    auto daemon = start_daemon(config);
    const FrameSender client(lab.client, "client0");
    for (uint16_t port = 4000; port < 4030; ++port)
      client.send(udp().from(Lab::client4, port).to(Lab::server4, 53));
    lab.client.must_run({"ping", "-q", "-c", "1", Lab::server4});
    ASSERT_TRUE(becomes(30, {"--protocol", "udp"}));
    kill_daemon(daemon);
  }
  std::filesystem::remove(bpffs.state_dir() + "/flows/default/half_open");
  const auto daemon = start_daemon(config);
  EXPECT_TRUE(said(daemon, "half_open is missing: its flows move into a new table"));
  EXPECT_TRUE(becomes(30, {"--protocol", "udp"}));
  EXPECT_TRUE(eventually(patience, [&] { return status()["zones"][0]["resizing"]["half_open"] == 0; }));
  EXPECT_TRUE(becomes(0, {"--protocol", "icmp"}));
  EXPECT_TRUE(eventually(patience, [&] { return scrape().imbalance() == 0; }));
}

TEST_F(Strangers, APinOfAnotherKindIsNamedAndLeftAlone) {
  for (const std::string name : {"/flows/default/established", "/records"}) {
    {
      auto daemon = start_daemon();
      stop_daemon(daemon);
    }
    const std::string pin = bpffs.state_dir() + name;
    std::filesystem::remove(pin);
    const UniqueFd map(bpf_map_create(BPF_MAP_TYPE_HASH, "other", 4, 4, 1, nullptr));
    ASSERT_EQ(bpf_obj_pin(map.get(), pin.c_str()), 0);
    const Outcome outcome = run_daemon({});
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.out + outcome.err,
                AllOf(HasSubstr(pin + " is not xdpflowd's"), HasSubstr("xdpflowctl unload")));
    EXPECT_THAT(ctl({"flows"}).err, HasSubstr(pin + " is not xdpflowd's"));
    EXPECT_NE(attached("lan0"), Json());
    EXPECT_EQ(ctl({"unload"}).status, 0);
  }
  const auto daemon = start_daemon();
}

/// The programs that run would go on with the map that nobody can see any more.
TEST_F(Strangers, AMapThatWasRemovedIsMadeAnewWithNewPrograms) {
  const DaemonConfig config{.rest = "[timeouts]\nudp = \"1h\"\nicmp = \"1s\"\n"};
  const FrameSender client(lab.client, "client0");
  {
    auto daemon = start_daemon(config);
    client.send(udp().from(Lab::client4, 4000).to(Lab::server4, 53));
    ASSERT_TRUE(becomes(1, {"--protocol", "udp"}));
    stop_daemon(daemon);
  }
  std::filesystem::remove(bpffs.state_dir() + "/records");
  const auto daemon = start_daemon(config);
  EXPECT_TRUE(said(daemon, "/records was removed: it is made anew, empty, with new programs"));
  EXPECT_EQ(status()["generation"], 2);
  EXPECT_TRUE(becomes(1, {"--protocol", "udp"}));
  lab.client.must_run({"ping", "-c1", "-W5", Lab::server4});
  EXPECT_TRUE(records_become(1));
}

TEST_F(Strangers, AForeignProgramInTheAdminsPlaceIsNotRun) {
  {
    auto daemon = start_daemon();
    stop_daemon(daemon);
  }
  const std::string pin = bpffs.state_dir() + "/programs/admin";
  std::filesystem::remove(pin);
  const auto program = foreign_program();
  ASSERT_EQ(bpf_obj_pin(program.get(), pin.c_str()), 0);
  for (const Outcome& outcome : {run_daemon({}), ctl({"flush"})}) {
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.out + outcome.err, HasSubstr(pin + " is not xdpflowd's"));
  }
  EXPECT_NE(attached("lan0"), Json());
}

TEST_F(Strangers, AStateThatIsUnmountedUnderTheDaemonMakesRoomForTheNext) {
  auto daemon = start_daemon();
  ASSERT_EQ(umount2(bpffs.path().c_str(), MNT_DETACH), 0);
  EXPECT_EQ(daemon.wait(patience), std::optional(1));
  EXPECT_TRUE(said(daemon, "nobody unloaded the data plane: the programs are detached"));
  EXPECT_EQ(attached("lan0"), Json());
  EXPECT_EQ(ctl({"flows"}).status, 1);
  ASSERT_EQ(mount("bpf", bpffs.path().c_str(), "bpf", 0, nullptr), 0);
  const auto next = start_daemon();
  lab.client.must_run({"ping", "-q", "-c", "1", Lab::server4});
  EXPECT_TRUE(becomes(1, {"--protocol", "icmp"}));
}

}  // namespace
}  // namespace xdpflowd::test
