// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "bad_input.h"

namespace xdpflowd {
namespace {

/// Its keys begin in line 6: target("fall = 0\n") is refused at 6:8.
std::string target(const std::string& keys, const std::string& address = "192.0.2.1") {
  return with_interface + "[[target]]\nname = \"gw-a\"\naddress = \"" + address + "\"\n" + keys;
}

std::string udp(const std::string& keys) {
  return target("probe = \"udp\"\nport = 53\n" + keys);
}

/// Two targets of the same address; the keys of the first begin in line 6, those of the second in line 9 if
/// the first has none.
std::string two(const std::string& first, const std::string& second) {
  return target(first) + "[[target]]\nname = \"gw-b\"\naddress = \"192.0.2.1\"\n" + second;
}

class TargetRefuses : public testing::TestWithParam<BadInput> {};

TEST_P(TargetRefuses, WithPlaceProblemAndAdvice) {
  expect_refusal(GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Section, TargetRefuses,
    testing::Values(
        BadInput{"[target]\nname = \"a\"\n", "1:1", "target is a table", "[[target]] in double brackets"},
        BadInput{"target = 1\n", "1:10", "target is an integer", "[[target]]"},
        BadInput{target("adress = \"::1\"\n"), "6:1", "unknown key \"adress\" in [[target]]", "\"address\"?"},
        BadInput{target("verbose = true\n"), "6:1", "unknown key \"verbose\"", "payload_hex, expect"},
        BadInput{with_interface + "[[target]]\naddress = \"192.0.2.1\"\n", "3:1", "has no name", "name = "},
        BadInput{with_interface + "[[target]]\nname = \"a\"\n", "3:1", "\"a\" has no address", "address = "},
        BadInput{two("", "name = \"gw-c\"\n"), "9:8", "cannot redefine", "once"},
        BadInput{target(target("").substr(with_interface.size())), "7:8", "\"gw-a\" is already in line 4",
                 "a name of its own"}));

INSTANTIATE_TEST_SUITE_P(
    Type, TargetRefuses,
    testing::Values(
        BadInput{target("probe = 1\n"), "6:9", "target.probe is an integer", "such as \"icmp\""},
        BadInput{target("port = \"80\"\n"), "6:8", "target.port is a string", "an integer, 0 to 65535"},
        BadInput{target("interval = 1\n"), "6:12", "target.interval is an integer", "such as \"1s\""},
        BadInput{target("weight = 1.5\n"), "6:10", "floating-point", "an integer, 0 to 65535"},
        BadInput{target("on_refused = true\n"), "6:14", "target.on_refused is a boolean", "\"down\""},
        BadInput{target("on_change = \"/bin/x\"\n"), "6:13", "target.on_change is a string",
                 "an array, such as [\"/usr/local/bin/notify\""},
        BadInput{target("on_change = [\"/bin/x\", 7]\n"), "6:24", "target.on_change is an integer",
                 "a string"},
        BadInput{target("on_change = [[\"/bin/x\"]]\n"), "6:14", "target.on_change is an array",
                 "a string"}));

INSTANTIATE_TEST_SUITE_P(Name, TargetRefuses, testing::ValuesIn([] {
                           std::vector<BadInput> all;
                           for (const std::string bad : {"", "a b", "a/b", "\u00e4", "a\\u0000", "a:b", "*"})
                             all.push_back({with_interface + "[[target]]\nname = \"" + bad + "\"\n", "4:8",
                                            "is not a target's name", "1 to 63 of a-z, A-Z, 0-9"});
                           all.push_back(
                               {with_interface + "[[target]]\nname = \"" + repeated("a", 64) + "\"\n", "4:8",
                                "is not a target's name", "1 to 63"});
                           return all;
                         }()));

INSTANTIATE_TEST_SUITE_P(
    Address, TargetRefuses, testing::ValuesIn([] {
      const std::vector<std::pair<std::string, std::string>> bad{
          {"", "is not an address"},
          {"gw.example", "is not an address"},
          {"192.0.2", "is not an address"},
          {"192.0.2.256", "is not an address"},
          {"192.0.2.01", "is not an address"},
          {"192.0.2.0/24", "is not an address"},
          {"192.0.2.1 ", "is not an address"},
          {"192.0.2.1\\u0000", "is not an address"},
          {"fe80::1%eth0", "is not an address"},
          {"[2001:db8::1]", "is not an address"},
          {"0.0.0.0", "is the unspecified address"},
          {"::", "is the unspecified address"},
          {"255.255.255.255", "is the broadcast address"},
          {"127.0.0.1", "is a loopback address"},
          {"127.255.0.1", "is a loopback address"},
          {"::1", "is a loopback address"},
          {"224.0.0.1", "is a multicast address"},
          {"239.255.255.255", "is a multicast address"},
          {"ff02::1", "is a multicast address"},
          {"::ffff:192.0.2.1", "is an IPv4-mapped address"}};
      std::vector<BadInput> all;
      for (const auto& [address, problem] : bad) {
        all.push_back({target("", address), "5:11", "target.address: \"", "\"2001:db8::1\""});
        all.push_back({target("", address), "5:11", problem, "write the IPv4 or IPv6"});
        if (!address.empty())
          all.push_back({target("source = \"" + address + "\"\n"), "6:10", problem, "write"});
      }
      return all;
    }()));

INSTANTIATE_TEST_SUITE_P(
    Way, TargetRefuses,
    testing::Values(
        BadInput{target("", "fe80::1"), "5:11", "\"fe80::1\" is link-local", "add interface = "},
        BadInput{target("interface = \"eth0\"\n", "fe80::1"), "5:11", "\"fe80::1\" is link-local",
                 "probe = \"arp\""},
        BadInput{target("source = \"2001:db8::2\"\n"), "6:10", "different families", "both as IPv4 or both"},
        BadInput{target("source = \"192.0.2.2\"\n", "2001:db8::1"), "6:10", "different families", "IPv6"},
        BadInput{target("source = \"192.0.2.1\"\n"), "6:10", "the target's own address", "this machine"},
        BadInput{target("interface = \"eth*\"\n"), "6:13", "\"eth*\" is a pattern", "one interface or VRF"},
        BadInput{target("interface = \"a/b\"\n"), "6:13", "a character that no interface name has",
                 "one interface or VRF"},
        BadInput{target("interface = \"sixteen_bytes_xx\"\n"), "6:13", "longer than the 15 bytes",
                 "one interface or VRF"}));

INSTANTIATE_TEST_SUITE_P(
    Probe, TargetRefuses,
    testing::Values(
        BadInput{target("probe = \"ping\"\n"), "6:9", "\"ping\" is not a kind of probe",
                 "icmp, tcp, udp, arp"},
        BadInput{target("port = 65536\n"), "6:8", "target.port: 65536 is out of range", "0 to 65535"},
        BadInput{target("port = 80\n"), "6:8", "target.port: a probe by icmp has none", "\"tcp\" or \"udp\""},
        BadInput{target("port = 80\nprobe = \"arp\"\n"), "6:8", "a probe by arp has none", "remove it"},
        BadInput{target("probe = \"tcp\"\n"), "3:1", "target.port: a tcp probe needs one", "1 to 65535"},
        BadInput{target("probe = \"udp\"\nport = 0\n"), "7:8", "a udp probe needs one", "1 to 65535"},
        BadInput{target("on_refused = \"up\"\n"), "6:14", "target.on_refused: is only for probe = \"tcp\"",
                 "remove it"},
        BadInput{target("on_refused = \"reset\"\n"), "6:14", "\"reset\" is not what a refused", "down, up"},
        BadInput{target("payload = \"x\"\n"), "6:11", "target.payload: is only for probe = \"udp\"",
                 "remove it"},
        BadInput{target("expect_hex = \"00\"\n"), "6:14", "target.expect_hex: is only for probe = \"udp\"",
                 "probe = \"udp\""},
        BadInput{udp("payload = \"\"\npayload_hex = \"\"\n"), "9:15",
                 "target.payload_hex: says the same as payload in line 8", "one of them"},
        BadInput{udp("expect_hex = \"00\"\nexpect = \"x\"\n"), "8:14", "the same as expect in line 9", "one"},
        BadInput{udp("payload = \"" + repeated("a", 513) + "\"\n"), "8:11", "513 bytes", "at most 512"},
        BadInput{udp("payload_hex = \"" + repeated("00", 513) + "\"\n"), "8:15", "513 bytes", "at most 512"},
        BadInput{udp("expect = \"" + repeated("a", 65) + "\"\n"), "8:10", "65 bytes", "at most 64"},
        BadInput{udp("expect_hex = \"" + repeated("00", 65) + "\"\n"), "8:14", "65 bytes", "at most 64"},
        BadInput{udp("payload_hex = \"0\"\n"), "8:15", "\"0\" is not hexadecimal", "pairs of 0-9 and a-f"},
        BadInput{udp("payload_hex = \"00 11\"\n"), "8:15", "\" 1\" is no byte", "pairs"},
        BadInput{udp("payload_hex = \"0x00\"\n"), "8:15", "\"0x\" is no byte", "pairs"},
        BadInput{udp("payload_hex = \"-1\"\n"), "8:15", "\"-1\" is no byte", "pairs"}));

INSTANTIATE_TEST_SUITE_P(
    Time, TargetRefuses,
    testing::Values(BadInput{target("interval = \"999us\"\n"), "6:12", "\"999us\" is too short", "\"1ms\""},
                    BadInput{target("interval = \"61m\"\n"), "6:12", "\"61m\" is too long", "\"1h\""},
                    BadInput{target("interval = \"0s\"\n"), "6:12", "it is zero", "\"30s\""},
                    BadInput{target("timeout = \"999us\"\n"), "6:11", "\"999us\" is too short", "\"1ms\""},
                    BadInput{target("timeout = \"1001ms\"\n"), "6:11",
                             "target.timeout: \"1001ms\" is longer than the interval, \"1s\"",
                             "at most \"1s\""},
                    BadInput{target("timeout = \"1s\"\ninterval = \"500ms\"\n"), "6:11",
                             "longer than the interval", "at most \"500ms\""},
                    BadInput{target("down_interval = \"2h\"\n"), "6:17", "\"2h\" is too long", "\"1h\""},
                    BadInput{target("down_interval = \"299ms\"\n"), "6:17",
                             "target.down_interval: \"299ms\" is shorter than the timeout, \"300ms\"",
                             "at least \"300ms\""},
                    BadInput{target("jitter = \"61m\"\n"), "6:10", "\"61m\" is too long", "\"1h\""},
                    BadInput{target("jitter = \"-1s\"\n"), "6:10", "it is negative", "\"30s\""}));

INSTANTIATE_TEST_SUITE_P(
    Rest, TargetRefuses,
    testing::Values(
        BadInput{target("fall = 0\n"), "6:8", "target.fall: 0 is out of range", "1 to 1000"},
        BadInput{target("rise = 1001\n"), "6:8", "target.rise: 1001 is out of range", "1 to 1000"},
        BadInput{target("initial = \"Up\"\n"), "6:11", "\"Up\" is not a state", "unknown, up, down"},
        BadInput{target("weight = -1\n"), "6:10", "-1 is out of range", "0 to 65535"},
        BadInput{target("weight = 65536\n"), "6:10", "65536 is out of range", "0 to 65535"},
        BadInput{target("description = \"a\\nb\"\n"), "6:15", "control character", "one line"},
        BadInput{target("description = \"" + repeated("a", 256) + "\"\n"), "6:15", "256 bytes",
                 "at most 255"},
        BadInput{target("on_change = [\"notify\"]\n"), "6:14", "\"notify\" is not an absolute path",
                 "\"/usr/local/bin/notify\""},
        BadInput{target("on_change = [\"\"]\n"), "6:14", "\"\" is not an absolute path", "program"},
        BadInput{target("on_change = [\"/bin/\"]\n"), "6:14", "\"/bin/\" is a folder", "program"},
        BadInput{target("on_change = [\"/bin/x\", \"a\\u0000\"]\n"), "6:24", "has a NUL in it", "remove"},
        BadInput{target("on_change = [\"/bin/x\"" + repeated(", \"a\"", 64) + "]\n"), "6:13",
                 "65 elements are too many", "at most 64"}));

INSTANTIATE_TEST_SUITE_P(
    SharedProbe, TargetRefuses,
    testing::Values(
        BadInput{two("", "interval = \"2s\"\n"), "9:12",
                 "target: interval 2s, but interval 1s of \"gw-a\" in line 5, with which it shares one probe",
                 "the same interval in both"},
        BadInput{two("interval = \"2s\"\n", ""), "7:1", "interval 1s, but interval 2s of \"gw-a\" in line 5",
                 "the same interval"},
        BadInput{two("", "timeout = \"1s\"\n"), "9:11", "timeout 1s, but timeout 300ms", "the same timeout"},
        BadInput{two("", "down_interval = \"2s\"\n"), "9:17", "down_interval 2s, but down_interval 1s",
                 "same"},
        BadInput{two("", "jitter = \"0s\"\n"), "9:10", "jitter 0s, but jitter 1s of \"gw-a\"", "same jitter"},
        BadInput{two("probe = \"tcp\"\nport = 1\n", "probe = \"tcp\"\nport = 1\non_refused = \"up\"\n"),
                 "13:14", "on_refused \"up\", but on_refused \"down\" of \"gw-a\"", "same on_refused"},
        BadInput{two("probe = \"udp\"\nport = 1\npayload = \"a\"\n",
                     "probe = \"udp\"\nport = 1\npayload_hex = \"ff\"\n"),
                 "14:15", "payload_hex \"ff\", but payload \"a\" of \"gw-a\"", "same payload"},
        BadInput{two("probe = \"udp\"\nport = 1\n", "probe = \"udp\"\nport = 1\nexpect = \"a\"\n"), "13:10",
                 "expect \"a\", but expect \"\" of \"gw-a\"", "same expect"}));

TEST(Target, RefusesToShareAProbeWithMoreThanSevenOthers) {
  std::string text = target("");
  for (int i = 1; i < 8; ++i)
    text += "[[target]]\nname = \"t" + std::to_string(i) + "\"\naddress = \"192.0.2.1\"\n";
  EXPECT_EQ(error_of(text), "");
  EXPECT_THAT(error_of(text + "[[target]]\nname = \"t8\"\naddress = \"192.0.2.1\"\n"),
              testing::StartsWith("x.toml:29:11: target: more than 8 share the probe of \"gw-a\" in line 5"));
}

INSTANTIATE_TEST_SUITE_P(
    Health, TargetRefuses,
    testing::Values(
        BadInput{"health = 1\n", "1:10", "health is an integer", "[health] above its keys"},
        BadInput{"[health]\nevent = \"\"\n", "2:1", "unknown key \"event\" in [health]", "\"events\"?"},
        BadInput{"[health]\nevents = \"run/x\"\n", "2:10", "not an absolute path", "\"\" for no stream"},
        BadInput{"[health]\nevents = \"/run/\"\n", "2:10", "is a folder", "events.sock"},
        BadInput{"[health]\nevents = \"/" + repeated("a", 107) + "\"\n", "2:10", "too long", "events.sock"},
        BadInput{"[health]\nhook_user = 65534\n", "2:13", "health.hook_user is an integer", "\"nobody\""},
        BadInput{"[health]\nhook_user = \"a:b\"\n", "2:13", "\"a:b\" cannot be a user's name", "getent"},
        BadInput{"[health]\nhook_user = \"-x\"\n", "2:13", "\"-x\" cannot be a user's name", "getent"},
        BadInput{"[health]\nhook_timeout = \"99ms\"\n", "2:16", "\"99ms\" is too short", "\"100ms\""},
        BadInput{"[health]\nhook_timeout = \"601s\"\n", "2:16", "\"601s\" is too long", "\"10m\""}));

}  // namespace
}  // namespace xdpflowd
