// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "flow/names.h"
#include "settings/config_file.h"

namespace xdpflowd {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr uint64_t gibibyte = uint64_t{1} << 30;
constexpr unsigned two_cpus = 2;

Result<Settings> parse(const std::string& text) {
  return parse_settings(text, "x.toml", 64 * gibibyte, two_cpus);
}

/// The rest of a file whose first line is `[[interface]]`, second `name = "wan0"`.
const std::string with_interface = "[[interface]]\nname = \"wan0\"\n";

Settings settings_of(const std::string& text) {
  auto settings = parse(text);
  EXPECT_TRUE(settings) << settings.error().message;
  return settings ? *settings : Settings{};
}

// ---- what is accepted ----

TEST(Settings, DefaultsNeedOnlyAnInterface) {
  const Settings settings = settings_of(with_interface);
  EXPECT_EQ(settings.daemon, DaemonSettings{});
  EXPECT_EQ(settings.metrics, MetricsSettings{});
  EXPECT_EQ(settings.records, RecordsSettings{});
  EXPECT_EQ(settings.health, HealthSettings{});
  EXPECT_THAT(settings.targets, IsEmpty());
  EXPECT_EQ(settings.timeouts, default_timeouts());
  EXPECT_THAT(settings.zones, ElementsAre(ZoneSettings{"default", 1'000'000, 131'072, 16}));
  EXPECT_THAT(settings.interfaces,
              ElementsAre(InterfaceSettings{"wan0", {}, "default", AttachMode::automatic}));
  EXPECT_THAT(settings.warnings, IsEmpty());
}

TEST(Settings, EveryKeyReachesItsField) {
  const Settings settings = settings_of(R"(
[daemon]
log_level = "debug"
state_dir = "/run/bpf/x/"
dispatcher = "require"
[metrics]
listen = "[::]:0"
per_target_histograms = true
[records]
file = "/var/log/flows.json"
[zone.tenant-a]
max_flows = 100_000
max_half_open = 512
promote_packets = 2
[[interface]]
name = "lan0.5"
vlan = 4094
zone = "tenant-a"
mode = "native"
[timeouts]
tcp_established = "1h"
[health]
events = "/run/xdpflowd/events.sock"
hook_user = "nobody"
hook_timeout = "1m"
)");
  EXPECT_EQ(settings.daemon, (DaemonSettings{LogLevel::debug, "/run/bpf/x", DispatcherPolicy::require}));
  EXPECT_EQ(settings.metrics, (MetricsSettings{"[::]:0", true}));
  EXPECT_EQ(settings.records.file, "/var/log/flows.json");
  EXPECT_THAT(settings.zones, ElementsAre(ZoneSettings{"tenant-a", 100'000, 512, 2}));
  EXPECT_THAT(settings.interfaces,
              ElementsAre(InterfaceSettings{"lan0.5", 4094, "tenant-a", AttachMode::native}));
  EXPECT_EQ(settings.timeouts[XF_TIMEOUT_TCP_ESTABLISHED], 1h);
  EXPECT_EQ(settings.health, (HealthSettings{"/run/xdpflowd/events.sock", "nobody", 60s}));
  EXPECT_THAT(settings.warnings, IsEmpty());
}

TEST(Settings, EachTimeoutHasItsOwnName) {
  std::string text = with_interface + "[timeouts]\n";
  for (size_t i = 0; i < timeout_names.size(); ++i) {
    text += std::string(timeout_names[i]) + " = \"" + std::to_string(i + 1) + "s\"\n";
  }
  const Settings settings = settings_of(text);
  for (size_t i = 0; i < timeout_names.size(); ++i) EXPECT_EQ(settings.timeouts[i], 1s * (i + 1));
  EXPECT_EQ(settings.timeouts[XF_TIMEOUT_TCP_CLOSE_WAIT], 5s);
  EXPECT_EQ(settings.timeouts[XF_TIMEOUT_UDP_STREAM], 10s);
}

TEST(Settings, ZonesAndInterfacesKeepTheOrderOfTheFile) {
  const Settings settings = settings_of(
      "[zone.z]\n[[interface]]\nname = \"b\"\nzone = \"z\"\n[zone.a]\n[[interface]]\nname = \"a\"\nzone = "
      "\"a\"\n");
  ASSERT_EQ(settings.zones.size(), 2u);
  EXPECT_EQ(settings.zones[0].name, "z");
  ASSERT_EQ(settings.interfaces.size(), 2u);
  EXPECT_EQ(settings.interfaces[0].name, "b");
}

TEST(Settings, AVlanEntryFollowsTheModeOfItsInterface) {
  const Settings settings = settings_of(with_interface + "vlan = 10\n" + with_interface +
                                        "mode = \"generic\"\n" + with_interface + "vlan = 11\n");
  for (const InterfaceSettings& interface : settings.interfaces)
    EXPECT_EQ(interface.mode, AttachMode::generic);
}

TEST(Settings, AZoneNobodyUsesIsAWarning) {
  EXPECT_THAT(settings_of(with_interface + "[zone.default]\n[zone.spare]\n").warnings,
              ElementsAre(StartsWith("x.toml:4:7: zone.spare: no interface is in this zone")));
}

TEST(Settings, AZoneThatOnlyAVlanUsesIsNoWarning) {
  EXPECT_THAT(settings_of(with_interface + "vlan = 3\nzone = \"a\"\n[zone.a]\n").warnings, IsEmpty());
}

TEST(Settings, UnansweredFlowsThatOutliveAnsweredOnesAreAWarning) {
  EXPECT_THAT(settings_of(with_interface + "[timeouts]\ntcp_established = \"90s\"\n").warnings,
              ElementsAre("x.toml:4:19: timeouts.tcp_syn_sent (2m) is longer than tcp_established (90s): "
                          "unanswered flows would outlive answered ones"));
  EXPECT_THAT(settings_of(with_interface + "[timeouts]\nudp = \"1h\"\n").warnings,
              ElementsAre(StartsWith("x.toml:4:7: timeouts.udp (1h) is longer than udp_stream (2m)")));
}

// ---- sizes ----

TEST(TableSizes, FollowTheRamWithinBounds) {
  EXPECT_EQ(default_max_flows(0), 65'536u);
  EXPECT_EQ(default_max_flows(gibibyte), 65'536u);
  EXPECT_EQ(default_max_flows(2 * gibibyte), 131'072u);
  EXPECT_EQ(default_max_flows(8 * gibibyte), 524'288u);
  EXPECT_EQ(default_max_flows(16 * gibibyte), 1'000'000u);
  EXPECT_EQ(default_max_flows(UINT64_MAX), 1'000'000u);
}

TEST(TableSizes, ApplyToEveryZoneWithoutItsOwn) {
  auto settings = parse_settings(
      with_interface + "zone = \"a\"\n[zone.a]\nmax_half_open = 1024\n[zone.b]\nmax_flows = 2000\n", "x.toml",
      4 * gibibyte, two_cpus);
  ASSERT_TRUE(settings);
  EXPECT_THAT(settings->zones,
              ElementsAre(ZoneSettings{"a", 262'144, 1024, 16}, ZoneSettings{"b", 2000, 131'072, 16}));
}

TEST(TableSizes, DefaultsHoldEnoughForEveryCpu) {
  auto settings = parse_settings(with_interface, "x.toml", gibibyte, 1024);
  ASSERT_TRUE(settings);
  EXPECT_THAT(settings->zones, ElementsAre(ZoneSettings{"default", 262'144, 262'144, 16}));
}

TEST(TableSizes, ThisMachineHasRamAndCpus) {
  EXPECT_GT(installed_ram_bytes(), 64u << 20);
  EXPECT_GE(possible_cpus(), 1u);
}

// ---- files ----

/// A file that is gone at the end of the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text) {
    const int fd = ::mkstemp(path_.data());
    EXPECT_GE(fd, 0);
    EXPECT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::close(fd);
  }
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_ = testing::TempDir() + "xdpflowd-settings-XXXXXX";
};

std::string load_error(const std::string& path) {
  auto settings = load_settings(path, gibibyte, two_cpus);
  if (settings) return "";
  EXPECT_EQ(settings.error().kind, Error::Kind::usage);
  return settings.error().message;
}

TEST(ConfigFile, IsLoadedAndNamedInErrors) {
  EXPECT_EQ(load_error(TemporaryFile(with_interface).path()), "");
  const TemporaryFile bad("[daemn]\n");
  EXPECT_THAT(load_error(bad.path()), StartsWith(bad.path() + ":1:2: unknown key \"daemn\""));
}

TEST(ConfigFile, MayHaveAByteOrderMarkAndWindowsLines) {
  EXPECT_EQ(load_error(TemporaryFile("\xef\xbb\xbf[[interface]]\r\nname = \"a\"\r\n").path()), "");
}

TEST(ConfigFile, MissingNamesPathAndOption) {
  EXPECT_THAT(
      load_error("/nonexistent/x.toml"),
      AllOf(HasSubstr("\"/nonexistent/x.toml\": No such file or directory"), HasSubstr("--config FILE")));
}

TEST(ConfigFile, ADirectoryIsRefused) {
  EXPECT_THAT(load_error("/"), HasSubstr("Is a directory"));
}

TEST(ConfigFile, HasRoomForManyTargetsAndEndsAt64Mebibytes) {
  const std::string comment = "#" + std::string(8 * 1024 * 1024, '.') + "\n";
  EXPECT_EQ(load_error(TemporaryFile(with_interface + comment).path()), "");
  EXPECT_THAT(load_error("/dev/zero"), HasSubstr("larger than 64 MiB"));
}

std::string default_file() {
  std::ifstream file(XDPFLOWD_SOURCE_DIR "/config/xdpflowd.toml");
  EXPECT_TRUE(file) << XDPFLOWD_SOURCE_DIR;
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The default file with every `# key = value` made active.
std::string uncommented_default_file() {
  static const std::regex commented_key("# ([a-z_]+ = .*)");
  std::istringstream lines(default_file());
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    result += (std::regex_match(line, match, commented_key) ? match[1].str() : line) + "\n";
  }
  return result;
}

TEST(DefaultFile, MeansTheDefaultsForWanAndLan) {
  EXPECT_EQ(settings_of(default_file()),
            settings_of("[[interface]]\nname = \"wan0\"\n[[interface]]\nname = \"lan0\"\n"));
}

TEST(DefaultFile, ShowsTheTrueDefaults) {
  EXPECT_EQ(settings_of(uncommented_default_file()), settings_of(default_file()));
}

TEST(DefaultFile, ShowsEveryKey) {
  const std::string text = "\n" + uncommented_default_file();
  std::vector<std::string> keys{"log_level", "state_dir", "dispatcher",    "listen",
                                "file",      "max_flows", "max_half_open", "promote_packets",
                                "name",      "mode",      "zone",          "per_target_histograms",
                                "events",    "hook_user", "hook_timeout"};
  keys.insert(keys.end(), timeout_names.begin(), timeout_names.end());
  for (const std::string& key : keys) EXPECT_THAT(text, HasSubstr("\n" + key + " = "));
  EXPECT_THAT(text, HasSubstr(" vlan = "));
}

}  // namespace
}  // namespace xdpflowd
