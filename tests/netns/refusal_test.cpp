// SPDX-License-Identifier: GPL-2.0-or-later
// Wrong configuration, missing things, missing rights: what is said, with which exit code, and what is left
// behind.
#include <gmock/gmock.h>
#include <sys/mount.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "daemon_lab.h"
#include "sockets.h"

namespace xdpflowd::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

auto lines(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

class Refusal : public DaemonLab {
 protected:
  bool untouched() const { return attached("lan0").is_null() && !std::filesystem::exists(bpffs.state_dir()); }

  /// Everything that the daemon printed.
  static std::string said(const Outcome& outcome) { return outcome.out + outcome.err; }

  Argv as_nobody(const Argv& argv) const {
    Argv whole = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
    whole.insert(whole.end(), argv.begin(), argv.end());
    return lab.router.command(whole);
  }

  /// A copy that everybody may read and execute, wherever the tree was built.
  std::string public_copy(const std::string& program) const {
    std::string copy = folder.file(std::filesystem::path(program).filename());
    std::filesystem::copy_file(program, copy, std::filesystem::copy_options::overwrite_existing);
    return copy;
  }
};

struct WrongConfig {
  const char* name;
  const char* toml;
  const char* line_and_column;
  const char* advice;
};

class WrongConfiguration : public Refusal, public ::testing::WithParamInterface<WrongConfig> {};

INSTANTIATE_TEST_SUITE_P(
    , WrongConfiguration,
    ::testing::Values(WrongConfig{"UnknownKey", "[daemon]\nlog_levle = \"info\"\n", ":2:1: ", "log_level"},
                      WrongConfig{"WrongType", "[zone.default]\nmax_flows = \"many\"\n",
                                  ":2:13: ", "an integer"},
                      WrongConfig{"ImpossibleValue", "[timeouts]\nudp = \"2 parsecs\"\n", ":2:7: ", "udp"},
                      WrongConfig{"TwoInterfacesWithOneName",
                                  "[[interface]]\nname = \"lan0\"\n[[interface]]\nname = \"lan0\"\n",
                                  ":4:8: ", "already in line 2"},
                      WrongConfig{"NotToml", "[daemon\n", ":1:", "syntax error"}),
    [](const auto& test) { return test.param.name; });

TEST_P(WrongConfiguration, IsRefusedWithItsPlaceAndWhatWouldBeRight) {
  const std::string path = folder.file("wrong.toml");
  std::ofstream(path) << GetParam().toml;
  const Outcome outcome = lab.router.run({XDPFLOWD, "--config", path});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr(path + GetParam().line_and_column), HasSubstr(GetParam().advice)));
  EXPECT_EQ(lines(outcome.err), 1) << outcome.err;
  EXPECT_EQ(outcome.out, "");
}

TEST_F(Refusal, OfAMissingFileSaysWhich) {
  const Outcome outcome = lab.router.run({XDPFLOWD, "--config", "/nowhere/xdpflowd.toml"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("/nowhere/xdpflowd.toml"));
}

TEST_F(Refusal, AMissingInterfaceIsSaidAndTheOthersWork) {
  const auto daemon =
      start_daemon({.interfaces = std::string(lan_and_wan) + "[[interface]]\nname = \"gone0\"\n"});
  EXPECT_THAT(daemon.err() + daemon.out(), HasSubstr("gone0"));
  EXPECT_NE(attached("lan0"), Json());
}

TEST_F(Refusal, WithoutAnyInterfaceLeavesNothingBehind) {
  const Outcome outcome = run_daemon({.interfaces = "[[interface]]\nname = \"gone0\"\n"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(said(outcome), AllOf(HasSubstr("no interface can be used"), HasSubstr("gone0")));
  EXPECT_EQ(ctl({"unload"}).status, 0);
  EXPECT_TRUE(untouched());
}

TEST_F(Refusal, OfThoseWhoAreNotRootIsOneLine) {
  const std::string config = write_config({.interfaces = "[[interface]]\nname = \"gone0\"\n"});
  const Outcome daemon = run(as_nobody({public_copy(XDPFLOWD), "--config", config}));
  EXPECT_EQ(daemon.status, 1);
  EXPECT_THAT(said(daemon), HasSubstr("root"));
  EXPECT_EQ(lines(said(daemon)), 1) << said(daemon);
  EXPECT_TRUE(untouched());

  const auto running = start_daemon();
  for (const char* command : {"status", "flows", "flush", "unload"}) {
    const Outcome tool = run(as_nobody({public_copy(XDPFLOWCTL), "--state-dir", bpffs.state_dir(), command}));
    EXPECT_EQ(tool.status, 1) << command;
    EXPECT_THAT(tool.err, HasSubstr("root")) << command;
    EXPECT_EQ(lines(said(tool)), 1) << command << ": " << said(tool);
  }
  EXPECT_NE(attached("lan0"), Json());
}

TEST_F(Refusal, APortInUseIsNamedAndHarmsNothing) {
  UniqueFd other = listen_tcp(lab.router, "127.0.0.1", 9742);
  const Outcome outcome = run_daemon({});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(said(outcome), AllOf(HasSubstr("127.0.0.1:9742"), HasSubstr("in use")));
  EXPECT_TRUE(untouched()) << "a start that is refused changed something";

  other = UniqueFd();
  const auto daemon = start_daemon();
  const auto connection = open_tcp(lab, Lab::server4, 8080);
  EXPECT_TRUE(becomes(1));
}

TEST_F(Refusal, AZoneThatNobodyUsesIsWarnedOf) {
  const auto daemon =
      start_daemon({.rest = "[zone.default]\nmax_flows = 4096\n[zone.spare]\nmax_flows = 4096\n"});
  EXPECT_THAT(daemon.err() + daemon.out(), HasSubstr("zone.spare: no interface is in this zone"));
}

TEST_F(Refusal, AKernelWithoutBtfCostsOnlyTheQuickCount) {
  ASSERT_EQ(mount("tmpfs", "/sys/kernel/btf", "tmpfs", 0, nullptr), 0);
  const Undo mounted = Undo::mount("/sys/kernel/btf");
  const auto daemon = start_daemon();
  EXPECT_THAT(daemon.err() + daemon.out(), HasSubstr("this kernel has no BTF"));
  const auto connection = open_tcp(lab, Lab::server4, 8080);
  EXPECT_TRUE(becomes(1, {"--state", "ESTABLISHED"}));
  EXPECT_EQ(scrape().imbalance(), 0);
}

TEST_F(Refusal, AStateFolderThatIsNotOnBpffsIsExplained) {
  const std::string state = folder.file("state");
  const Outcome outcome = run_daemon({.state_dir = state});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(said(outcome), AllOf(HasSubstr(state), HasSubstr("mount -t bpf")));
  EXPECT_FALSE(std::filesystem::exists(state));
}

TEST_F(Refusal, TheStandardBpffsIsMountedWhereItIsMissing) {
  ASSERT_EQ(umount2("/sys/fs/bpf", MNT_DETACH), 0);
  const std::string state = "/sys/fs/bpf/xdpflowd";
  const auto daemon = start_daemon({.state_dir = state});
  EXPECT_TRUE(std::filesystem::exists(state + "/control"));
  EXPECT_EQ(lab.router.run({XDPFLOWCTL, "status"}).status, 0);
}

TEST_F(Refusal, AReadOnlyBpffsIsExplainedAndWhatRunsStays) {
  ASSERT_EQ(mount("none", bpffs.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
  const Outcome outcome = run_daemon({});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(said(outcome),
              AllOf(HasSubstr("Read-only file system"), HasSubstr("ProtectKernelTunables=no")));
  EXPECT_EQ(attached("lan0"), Json());
}

TEST_F(Refusal, WithoutACapabilityItsNameIsSaid) {
  const std::string config = write_config({});
  for (const auto& [drop, missing] : {std::pair("-bpf,-sys_admin", "missing here: CAP_BPF)"),
                                      std::pair("-net_admin", "missing here: CAP_NET_ADMIN)")}) {
    const Outcome outcome = lab.router.run({"setpriv", std::string("--bounding-set=") + drop,
                                            std::string("--inh-caps=") + drop, XDPFLOWD, "--config", config});
    EXPECT_EQ(outcome.status, 1) << drop;
    EXPECT_THAT(said(outcome), HasSubstr(missing));
    EXPECT_TRUE(untouched()) << drop;
  }
}

TEST_F(Refusal, OfAWrongCommandHasExitCode2AndTheHelpToRead) {
  for (const Argv& wrong :
       {Argv{}, Argv{"flow"}, Argv{"flows", "--port", "http"}, Argv{"flows", "--limit", "0"},
        Argv{"flush", "--source", "10.0.0.1/8"}, Argv{"unload", "now"}}) {
    const Outcome outcome = ctl(wrong);
    EXPECT_EQ(outcome.status, 2) << outcome.err;
    EXPECT_EQ(lines(outcome.err), 1) << outcome.err;
  }
  EXPECT_EQ(lab.router.run({XDPFLOWD, "--confg"}).status, 2);
}

TEST_F(Refusal, WithNothingLoadedIsOneLine) {
  for (const char* command : {"status", "flows", "flush"}) {
    const Outcome outcome = ctl({command});
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.err, HasSubstr("no data plane is loaded"));
    EXPECT_EQ(lines(outcome.err), 1);
  }
}

}  // namespace
}  // namespace xdpflowd::test
