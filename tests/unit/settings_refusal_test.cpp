// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bad_input.h"

namespace xdpflowd {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class Refuses : public testing::TestWithParam<BadInput> {};

TEST_P(Refuses, WithPlaceProblemAndAdvice) {
  expect_refusal(GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Syntax, Refuses,
    testing::Values(
        BadInput{"[daemon]\nlog_level = info\n", "2:16", "syntax error in floating-point", "in quotes"},
        BadInput{"[daemon]\nlog_level = yes\n", "2:13", "could not determine value type", "in quotes"},
        BadInput{"[daemon]\nlog_level =\n", "2:12", "expected value", "in quotes"},
        BadInput{"[daemon]\nlog_level \"info\"\n", "2:11", "expected '='", "key = value"},
        BadInput{"[daemon\n", "1:8", "expected ']'", "[section]"},
        BadInput{"[metrics]\nlisten = \"\"\nlisten = \"\"\n", "3:10", "cannot redefine", "each key"},
        BadInput{"[daemon]\n[metrics]\n[daemon]\n", "3:1", "cannot redefine existing table 'daemon'", "once"},
        BadInput{"[zone.a]\n[zone.b]\n[zone.a]\n", "3:1", "cannot redefine existing table 'zone.a'", "once"},
        BadInput{"[[interface]]\nname = \"a\"\n[interface]\nname = \"b\"\n", "3:1", "cannot redefine",
                 "[[interface]]"},
        BadInput{"[daemon]\nlog_level = t\x1b\n", "2:14", "saw 't\\x1b'", "true or false"},
        BadInput{"# \xff\n", "1:2", "invalid utf-8", "UTF-8"},
        BadInput{"[daemon]\n\"a\x01\" = 1\n", "2:3", "control character", "end a string"},
        BadInput{"a = \"\"\"\n\"\"\"" + repeated(".a", 40) + "\n", "2:1", "more than 32 dots", "no key"},
        BadInput{"\n\n\"\\\"\"" + repeated(".'a'", 40) + " = 1\n", "3:1", "more than 32 dots", "no key"},
        BadInput{"\n\na" + repeated(".a", 40) + " = 1\n", "3:1", "more than 32 dots", "no key"}));

INSTANTIATE_TEST_SUITE_P(
    Unknown, Refuses,
    testing::Values(
        BadInput{"[daemon]\nlog_levle = \"info\"\n", "2:1", "unknown key \"log_levle\" in [daemon]",
                 "\"log_level\"?"},
        BadInput{"[daemon]\nverbose = true\n", "2:1", "unknown key \"verbose\"",
                 "log_level, state_dir, dispatcher"},
        BadInput{"[metric]\n", "1:2", "unknown key \"metric\" in the file", "did you mean \"metrics\"?"},
        BadInput{"max_flows = 1\n", "1:1", "unknown key \"max_flows\"", "known here: daemon, metrics"},
        BadInput{"[metrics]\nport = 9742\n", "2:1", "unknown key", "known here: listen"},
        BadInput{"[zone.a]\nmax_flow = 1000\n", "2:1", "unknown key \"max_flow\" in [zone.a]",
                 "\"max_flows\"?"},
        BadInput{"[zone.a.b]\n", "1:9", "unknown key \"b\" in [zone.a]", "known here: max_flows"},
        BadInput{"[[interface]]\n  nmae = \"wan0\"\n", "2:3", "unknown key \"nmae\" in [[interface]]",
                 "name"},
        BadInput{"[timeouts]\ntcp_synsent = \"1s\"\n", "2:1", "unknown key \"tcp_synsent\"",
                 "\"tcp_syn_sent\"?"},
        BadInput{"[timeouts]\nsctp = \"1s\"\n", "2:1", "unknown key \"sctp\"", "udp_stream"},
        BadInput{"[daemon]\n\"\\u001b[2J\\n\" = 1\n", "2:1", "unknown key \"\\x1b[2J\\x0a\"", "known here"}));

INSTANTIATE_TEST_SUITE_P(
    WrongType, Refuses,
    testing::Values(
        BadInput{"daemon = 1\n", "1:10", "daemon is an integer", "[daemon] above its keys"},
        BadInput{"[[metrics]]\n", "1:1", "metrics is an array of tables", "[metrics]"},
        BadInput{"records = \"f\"\n", "1:11", "records is a string", "[records]"},
        BadInput{"[metrics]\nper_target_histograms = \"yes\"\n", "2:25",
                 "metrics.per_target_histograms is a string", "true or false"},
        BadInput{"timeouts = []\n", "1:12", "timeouts is an array", "[timeouts]"},
        BadInput{"[interface]\nname = \"wan0\"\n", "1:1", "interface is a table", "[[interface]]"},
        BadInput{"interface = [\"wan0\"]\n", "1:14", "interface is a string", "[[interface]]"},
        BadInput{"zone = true\n", "1:8", "zone is a boolean", "[zone.default]"},
        BadInput{"[zone]\nmax_flows = 1000\n", "2:13", "zone.max_flows is an integer", "[zone.default]"},
        BadInput{"[daemon]\nlog_level = 3\n", "2:13", "daemon.log_level is an integer",
                 "string, such as \"info\""},
        BadInput{"[metrics]\nlisten = 9742\n", "2:10", "metrics.listen is an integer", "\"127.0.0.1:9742\""},
        BadInput{"[zone.a]\nmax_flows = 1e6\n", "2:13", "floating-point", "512 (256 per CPU) to 100000000"},
        BadInput{"[zone.a]\nmax_flows = \"9\"\n", "2:13", "zone.a.max_flows is a string", "an integer, 512"},
        BadInput{"[[interface]]\nname = [\"a\"]\n", "2:8", "interface.name is an array", "\"eth0\""},
        BadInput{"[timeouts]\nudp = 30\n", "2:7", "timeouts.udp is an integer", "a string, such as \"30s\""},
        BadInput{"[timeouts]\nudp = 07:32:00\n", "2:7", "timeouts.udp is a date or time", "\"30s\""}));

INSTANTIATE_TEST_SUITE_P(
    Daemon, Refuses,
    testing::Values(
        BadInput{"[daemon]\nlog_level = \"warning\"\n", "2:13", "\"warning\" is not a log level",
                 "warn, error"},
        BadInput{"[daemon]\ndispatcher = \"on\"\n", "2:14", "\"on\"", "auto, require, off"},
        BadInput{"[daemon]\nstate_dir = \"\"\n", "2:13", "not an absolute path", "/sys/fs/bpf/xdpflowd"},
        BadInput{"[daemon]\nstate_dir = \"run/x\"\n", "2:13", "not an absolute path", "/sys/fs/bpf/xdpflowd"},
        BadInput{"[daemon]\nstate_dir = \"/sys/fs/bpf/x.d/y\"\n", "2:13", "a dot in \"x.d\"", "bpffs"},
        BadInput{"[daemon]\nstate_dir = \"/sys/../x\"\n", "2:13", "a dot in \"..\"", "bpffs"},
        BadInput{"[daemon]\nstate_dir = \"//\"\n", "2:13", "\"/\" cannot be a bpffs", "folder"},
        BadInput{"[daemon]\nstate_dir = \"/a\\u0000b\"\n", "2:13", "control character", "folder"},
        BadInput{"[daemon]\nstate_dir = \"/" + std::string(256, 'a') + "\"\n", "2:13", "too long", "folder"},
        BadInput{"[records]\nfile = \"flows.json\"\n", "2:8", "not an absolute path", "\"\" for no records"},
        BadInput{"[records]\nfile = \"/var/log/\"\n", "2:8", "is a folder", "write a file"}));

INSTANTIATE_TEST_SUITE_P(Listen, Refuses, testing::ValuesIn([] {
                           std::vector<BadInput> all;
                           for (const char* bad : {"9742",
                                                   ":9742",
                                                   "localhost:9742",
                                                   "127.0.0.1",
                                                   "127.0.0.1:",
                                                   "127.0.0.1:65536",
                                                   "127.0.0.1:-1",
                                                   "127.0.0.1:80x",
                                                   "127.1:80",
                                                   "::1:9742",
                                                   "[::1]",
                                                   "[::1]9742",
                                                   "[127.0.0.1]:80",
                                                   "[]:80",
                                                   "*:80",
                                                   "fe80::1%eth0:80",
                                                   "http://127.0.0.1:80",
                                                   " 127.0.0.1:80",
                                                   "127.0.0.1:80 ",
                                                   "127.0.0.1\\u0000:80"}) {
                             all.push_back({"[metrics]\nlisten = \"" + std::string(bad) + "\"\n", "2:10",
                                            "metrics.listen: \"", "\"[::1]:9742\""});
                           }
                           return all;
                         }()));

INSTANTIATE_TEST_SUITE_P(
    Zone, Refuses,
    testing::Values(
        BadInput{"[zone.Default]\n", "1:7", "\"Default\" is not a zone name", "a-z"},
        BadInput{"[zone.\"\"]\n", "1:7", "\"\" is not a zone name", "1 to 32"},
        BadInput{"[zone.\"a b\"]\n", "1:7", "\"a b\" is not a zone name", "a-z"},
        BadInput{"[zone." + std::string(33, 'a') + "]\n", "1:7", "is not a zone name", "1 to 32"},
        BadInput{"[zone.a]\nmax_flows = 511\n", "2:13", "zone.a.max_flows: 511 is out of range",
                 "512 (256 per CPU)"},
        BadInput{"[zone.a]\nmax_flows = 100_000_001\n", "2:13", "out of range", "to 100000000"},
        BadInput{"[zone.a]\nmax_flows = -1\n", "2:13", "-1 is out of range", "512"},
        BadInput{"[zone.a]\nmax_half_open = 511\n", "2:17", "max_half_open: 511", "512 (256 per CPU)"},
        BadInput{"[zone.a]\nmax_half_open = 9223372036854775807\n", "2:17", "out of range", "to 100000000"},
        BadInput{"[zone.a]\npromote_packets = 1\n", "2:19", "promote_packets: 1 is out of range",
                 "2 to 1000000"},
        BadInput{"[zone.a]\npromote_packets = 1000001\n", "2:19", "out of range", "2 to 1000000"}));

INSTANTIATE_TEST_SUITE_P(
    Interface, Refuses,
    testing::Values(
        BadInput{"", "1:1", "no [[interface]]", "add [[interface]]"},
        BadInput{"interface = []\n", "1:1", "no [[interface]]", "add [[interface]]"},
        BadInput{"\n[[interface]]\nvlan = 3\n", "2:1", "has no name", "name = "},
        BadInput{"[[interface]]\nname = \"\"\n", "2:8", "the name is empty", "ip link"},
        BadInput{"[[interface]]\nname = \"sixteen_bytes_xx\"\n", "2:8", "longer than the 15 bytes",
                 "ip link"},
        BadInput{"[[interface]]\nname = \"a/b\"\n", "2:8", "a character that no interface name has",
                 "ip link"},
        BadInput{"[[interface]]\nname = \"a b\"\n", "2:8", "a character that no interface name has",
                 "ip link"},
        BadInput{"[[interface]]\nname = \"a\\tb\"\n", "2:8", "a character that no interface name has",
                 "ip link"},
        BadInput{"[[interface]]\nname = \"a:1\"\n", "2:8", "a character that no interface name has",
                 "ip link"},
        BadInput{"[[interface]]\nname = \"..\"\n", "2:8", "\"..\" cannot be the name", "ip link"},
        BadInput{"[[interface]]\nname = \".\"\n", "2:8", "\".\" cannot be the name", "ip link"},
        BadInput{"[[interface]]\nname = \"eth *\"\n", "2:8", "a character that no interface name has",
                 "\"eth*\""},
        BadInput{with_interface + "vlan = 0\n", "3:8", "interface.vlan: 0 is out of range", "1 to 4094"},
        BadInput{with_interface + "vlan = 4095\n", "3:8", "interface.vlan: 4095 is out of range",
                 "1 to 4094"},
        BadInput{with_interface + "mode = \"skb\"\n", "3:8", "\"skb\" is not an XDP mode", "native, generic"},
        BadInput{with_interface + "zone = \"A\"\n", "3:8", "\"A\" is not a zone name", "a-z"},
        BadInput{with_interface + "zone = \"tenant\"\n", "3:8", "\"tenant\" is not a zone", "[zone.tenant]"},
        BadInput{with_interface + "zone = \"lam\"\n[zone.lan]\n", "3:8", "\"lam\" is not a zone",
                 "mean \"lan\"?"},
        BadInput{with_interface + "[zone.lan]\n", "1:1", "names no zone", "add [zone.default]"},
        BadInput{with_interface + with_interface, "4:8", "\"wan0\" is already in line 2", "write it once"},
        BadInput{with_interface + "vlan = 5\n" + with_interface + "vlan = 5\n", "6:8",
                 "\"wan0\" with vlan 5 is already in line 3", "write it once"},
        BadInput{with_interface + "mode = \"native\"\n" + with_interface + "vlan = 5\nmode = \"auto\"\n",
                 "7:8", "differs from that of \"wan0\" in line 3", "same mode"}));

INSTANTIATE_TEST_SUITE_P(
    Timeouts, Refuses,
    testing::Values(BadInput{"[timeouts]\nudp = \"30\"\n", "2:7", "the unit is missing", "\"30s\""},
                    BadInput{"[timeouts]\nudp = \"0s\"\n", "2:7", "it is zero", "\"30s\""},
                    BadInput{"[timeouts]\nudp = \"999us\"\n", "2:7", "\"999us\" is too short", "\"1ms\""},
                    BadInput{"[timeouts]\nudp = \"3651d\"\n", "2:7", "\"3651d\" is too long", "\"3650d\""}));

TEST(Settings, AllowsDotsInTextsAndComments) {
  const std::string dots(600, '.');
  EXPECT_EQ(error_of(with_interface + "#" + dots + "\n[records]\nfile = \"/" + dots.substr(0, 200) + "\" # " +
                     dots + "\n"),
            "");
}

TEST(Settings, RefusesMoreZonesThanTheDataPlaneHas) {
  std::string text = with_interface + "zone = \"z0\"\n";
  for (int i = 0; i < XF_ZONES_MAX; ++i) text += "[zone.z" + std::to_string(i) + "]\n";
  EXPECT_EQ(error_of(text), "");
  EXPECT_EQ(error_of(text + "[zone.one-more]\n"), "x.toml:68:7: too many zones; at most 64 are possible");
}

TEST(Settings, RefusesMoreInterfacesThanTheDataPlaneHas) {
  std::string text;
  for (int i = 0; i < XF_INTERFACES_MAX; ++i)
    text += "[[interface]]\nname = \"eth" + std::to_string(i) + "\"\n";
  text += "[[interface]]\nname = \"eth0\"\nvlan = 1\n";
  EXPECT_EQ(error_of(text), "");
  EXPECT_THAT(error_of(text + "[[interface]]\nname = \"one-more\"\n"),
              StartsWith("x.toml:517:8: too many interfaces; at most 256"));
}

TEST(Settings, RefusesTablesThatTogetherHaveNoPlaceInOneQueue) {
  std::string text = with_interface + "zone = \"z0\"\n";
  for (int i = 0; i < 43; ++i) text += "[zone.z" + std::to_string(i) + "]\nmax_flows = 100_000_000\n";
  EXPECT_THAT(error_of(text), AllOf(StartsWith("x.toml:88:7: "), HasSubstr("write smaller max_flows")));
}

TEST(Settings, ReportsTheFirstErrorOfTheFile) {
  EXPECT_THAT(error_of("[timeouts]\nudp = 1\n[daemon]\nlog_level = 1\n"), StartsWith("x.toml:2:7: "));
}

TEST(Settings, RefusesOneTooLongNameWithoutRepeatingAllOfIt) {
  EXPECT_LT(error_of("[daemon]\n" + std::string(100'000, 'a') + " = 1\n").size(), 300u);
}

}  // namespace
}  // namespace xdpflowd
