// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <iterator>
#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "bad_input.h"

namespace xdpflowd {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

Settings with_targets(const std::string& text) {
  auto settings = parse_settings(with_interface + text, "x.toml", uint64_t{64} << 30, 2);
  EXPECT_TRUE(settings) << settings.error().message;
  return settings ? *settings : Settings{};
}

const std::string with_target = "[[target]]\nname = \"gw-a\"\naddress = \"192.0.2.1\"\n";

/// The one target of a file that adds `keys` to name and address.
TargetSettings target_of(const std::string& keys) {
  auto targets = with_targets(with_target + keys).targets;
  EXPECT_THAT(targets, SizeIs(1));
  return targets.empty() ? TargetSettings{} : targets.front();
}

TargetSettings defaults() {
  TargetSettings target;
  target.name = "gw-a";
  target.address = "192.0.2.1";
  return target;
}

TEST(Target, NeedsOnlyANameAndAnAddress) {
  const auto target = target_of("");
  EXPECT_EQ(target, defaults());
  EXPECT_EQ(target.probe, ProbeKind::icmp);
  EXPECT_EQ(target.interval, 1s);
  EXPECT_EQ(target.timeout, 300ms);
  EXPECT_EQ(target.down_interval, 1s);
  EXPECT_EQ(target.jitter, 1s);
  EXPECT_EQ(target.fall, 3u);
  EXPECT_EQ(target.rise, 2u);
  EXPECT_EQ(target.initial, InitialState::unknown);
  EXPECT_EQ(target.weight, 1u);
}

TEST(Target, EveryKeyReachesItsField) {
  using Edit = std::function<void(TargetSettings&)>;
  const std::vector<std::pair<std::string, Edit>> keys{
      {"probe = \"arp\"", [](auto& t) { t.probe = ProbeKind::arp; }},
      {"port = 0", [](auto&) {}},
      {"interval = \"2s\"", [](auto& t) { t.interval = t.down_interval = t.jitter = 2s; }},
      {"timeout = \"1s\"", [](auto& t) { t.timeout = 1s; }},
      {"down_interval = \"300ms\"", [](auto& t) { t.down_interval = 300ms; }},
      {"down_interval = \"1h\"", [](auto& t) { t.down_interval = 1h; }},
      {"jitter = \"0s\"", [](auto& t) { t.jitter = 0s; }},
      {"jitter = \"1h\"", [](auto& t) { t.jitter = 1h; }},
      {"fall = 1000", [](auto& t) { t.fall = 1000; }},
      {"rise = 1", [](auto& t) { t.rise = 1; }},
      {"initial = \"up\"", [](auto& t) { t.initial = InitialState::up; }},
      {"initial = \"down\"", [](auto& t) { t.initial = InitialState::down; }},
      {"source = \"192.0.2.2\"", [](auto& t) { t.source = "192.0.2.2"; }},
      {"interface = \"vrf-blue\"", [](auto& t) { t.interface = "vrf-blue"; }},
      {"description = \"Gr\u00fc\u00dfe; 50 %\"", [](auto& t) { t.description = "Gr\u00fc\u00dfe; 50 %"; }},
      {"weight = 0", [](auto& t) { t.weight = 0; }},
      {"weight = 65535", [](auto& t) { t.weight = 65'535; }},
      {"on_change = [\"/bin/notify\", \"\", \"a b\"]",
       [](auto& t) {
         t.on_change = {"/bin/notify", "", "a b"};
       }},
  };
  for (const auto& [key, edit] : keys) {
    auto expected = defaults();
    edit(expected);
    EXPECT_EQ(target_of(key + "\n"), expected) << key;
  }
}

TEST(Target, OfTcpSaysWhatARefusalMeans) {
  auto expected = defaults();
  expected.probe = ProbeKind::tcp;
  expected.port = 65'535;
  EXPECT_EQ(target_of("probe = \"tcp\"\nport = 65535\n"), expected);
  EXPECT_EQ(target_of("probe = \"tcp\"\nport = 65535\non_refused = \"down\"\n"), expected);
  expected.refused_is_up = true;
  EXPECT_EQ(target_of("probe = \"tcp\"\nport = 65535\non_refused = \"up\"\n"), expected);
}

TEST(Target, OfUdpSendsAndExpectsTextOrBytes) {
  const std::string udp = "probe = \"udp\"\nport = 53\n";
  EXPECT_EQ(target_of(udp).payload, "");
  const auto text = target_of(udp + "payload = \"ping\\n\"\nexpect = \"pong\"\n");
  EXPECT_EQ(text.payload, "ping\n");
  EXPECT_EQ(text.expect, "pong");
  const auto hex = target_of(udp + "payload_hex = \"00fFa1\"\nexpect_hex = \"00\"\n");
  EXPECT_EQ(hex.payload, "\x00\xff\xa1"s);
  EXPECT_EQ(hex.expect, "\x00"s);
  EXPECT_THAT(target_of(udp + "payload_hex = \"" + repeated("00", 512) + "\"\n").payload, SizeIs(512));
  EXPECT_THAT(target_of(udp + "expect = \"" + repeated("a", 64) + "\"\n").expect, SizeIs(64));
}

TEST(Target, TakesOtherProbesKeysThatSayWhatIsSoAnyway) {
  EXPECT_EQ(target_of("port = 0\non_refused = \"down\"\npayload = \"\"\nexpect_hex = \"\"\non_change = []\n"),
            defaults());
}

TEST(Target, HasTimesThatFollowItsInterval) {
  const auto fast = target_of("interval = \"1ms\"\n");
  EXPECT_EQ(fast.timeout, 1ms);
  EXPECT_EQ(fast.down_interval, 1ms);
  EXPECT_EQ(fast.jitter, 1ms);
  EXPECT_EQ(target_of("interval = \"1h\"\n").timeout, 300ms);
  EXPECT_EQ(target_of("timeout = \"1s\"\n").timeout, 1s);
}

TEST(Target, IsShownWithItsAddressAsEverybodyWritesIt) {
  const std::vector<std::pair<const char*, const char*>> addresses{
      {"192.0.2.1", "192.0.2.1"},         {"240.0.0.1", "240.0.0.1"}, {"169.254.0.1", "169.254.0.1"},
      {"2001:DB8:0:0::1", "2001:db8::1"}, {"fd00::1", "fd00::1"},
  };
  for (const auto& [written, shown] : addresses) {
    const auto targets = with_targets("[[target]]\nname = \"a\"\naddress = \""s + written + "\"\n").targets;
    EXPECT_THAT(targets, ElementsAre(testing::Field(&TargetSettings::address, shown)));
  }
}

TEST(Target, MayBeLinkLocalOnANamedLink) {
  const auto settings = with_targets(
      "[[target]]\nname = \"a\"\naddress = \"fe80::1\"\ninterface = \"eth0\"\nsource = \"FE80::2\"\n"
      "probe = \"arp\"\n");
  EXPECT_EQ(settings.targets.at(0).source, "fe80::2");
}

TEST(Target, KeepsItsPlaceInTheFile) {
  const auto targets =
      with_targets(with_target + "[[target]]\nname = \"A.b_c\"\naddress = \"::2\"\n").targets;
  ASSERT_THAT(targets, SizeIs(2));
  EXPECT_EQ(targets[1].name, "A.b_c");
}

TEST(Target, IsNoneInAnEmptyList) {
  EXPECT_EQ(error_of("target = []\n" + with_interface), "");
}

TEST(Target, SharesAProbeWithSevenOthersOfOtherNameAndJudgement) {
  std::string text;
  for (int i = 0; i < 8; ++i)
    text += "[[target]]\nname = \"t" + std::to_string(i) +
            "\"\naddress = \"2001:db8::1\"\nfall = " + std::to_string(i + 1) +
            "\nrise = " + std::to_string(i + 1) + "\nweight = " + std::to_string(i) + "\ninitial = \"" +
            (i % 2 ? "up" : "down") + "\"\non_change = [\"/bin/" + std::to_string(i) + "\"]\n";
  EXPECT_THAT(with_targets(text).targets, SizeIs(8));
}

TEST(Target, SharesNoProbeWithAnotherWayToTheSameAddress) {
  const std::string again = "[[target]]\naddress = \"192.0.2.1\"\ninterval = \"5s\"\nname = ";
  EXPECT_THAT(with_targets(with_target + again + "\"b\"\nprobe = \"arp\"\n" + again +
                           "\"c\"\nprobe = \"tcp\"\nport = 1\n" + again +
                           "\"d\"\nprobe = \"tcp\"\nport = 2\ntimeout = \"1s\"\n" + again +
                           "\"e\"\nsource = \"192.0.2.2\"\n" + again + "\"f\"\ninterface = \"eth0\"\n")
                  .targets,
              SizeIs(6));
}

// ---- many ----

std::string many_targets(int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += "[[target]]\nname = \"backend-" + std::to_string(i) + "\"\naddress = \"10." +
            std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) + "." + std::to_string(i & 255) +
            "\"\nprobe = \"tcp\"\nport = 443\ninterval = \"10s\"\ndescription = \"rack 7\"\n";
  return text;
}

TEST(Targets, OfWhichThereAreManyLoadQuickly) {
  constexpr auto wide_margin = 100s;  // what is quadratic takes hours
  const auto text = many_targets(100'000);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(with_targets(text).targets, SizeIs(100'000));
  const auto took = std::chrono::steady_clock::now() - start;
  RecordProperty("milliseconds", static_cast<int>(took / 1ms));
  EXPECT_LT(took, wide_margin);
}

TEST(Targets, AreAtMostAHundredThousand) {
  EXPECT_EQ(error_of(with_interface + many_targets(100'001)),
            "x.toml:700003:1: 100001 targets are too many; at most 100000 are possible");
}

// ---- the file that is installed ----

/// Its example: the indented lines of the comment that has [[target]].
std::string example_of_the_default_file() {
  std::ifstream file(XDPFLOWD_SOURCE_DIR "/config/xdpflowd.toml");
  std::string example;
  for (std::string line; std::getline(file, line);) {
    if (line == "#     [[target]]")
      example = "[[target]]\n";
    else if (!example.empty() && line.starts_with("#     "))
      example += line.substr(6) + "\n";
  }
  return example;
}

TEST(DefaultFile, ShowsEveryKeyOfATargetWithItsDefault) {
  const std::string example = example_of_the_default_file();
  const std::string refused = error_of(with_interface + "[[target]]\n" + repeated("q", 70) + " = 1\n");
  const std::string keys = refused.substr(refused.find("known here: ") + 12);
  const std::regex key("[a-z_]+");
  for (std::sregex_iterator match(keys.begin(), keys.end(), key), end; match != end; ++match)
    EXPECT_THAT("\n" + example, testing::AnyOf(HasSubstr("\n" + match->str() + " = "),
                                               HasSubstr("\n# " + match->str() + " = ")));
  const auto targets = with_targets(example).targets;
  EXPECT_THAT(targets, ElementsAre(defaults()));
}

}  // namespace
}  // namespace xdpflowd
