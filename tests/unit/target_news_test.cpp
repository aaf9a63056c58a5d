// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/target_news.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace xdpflowd {
namespace {

using Json = nlohmann::ordered_json;

TargetNews died() {
  return {.name = "gw-a",
          .address = "192.0.2.1",
          .probe = "icmp",
          .port = 0,
          .before = TargetState::up,
          .after = TargetState::down,
          .reason = "timeout",
          .forced = false,
          .rtt_ns = std::nullopt,
          .lateness_ns = 87'499,
          .unix_ns = 1'709'208'000'000'000'001};
}

TargetNews came_back() {
  TargetNews news = died();
  news.before = TargetState::down;
  news.after = TargetState::up;
  news.reason = "reply";
  news.rtt_ns = 412'000;
  news.lateness_ns.reset();
  return news;
}

TEST(NewsJson, HasItsNamesInTheirOrder) {
  std::string names;
  const Json json = Json::parse(news_json(died()));
  for (const auto& [name, value] : json.items()) names += name + " ";
  EXPECT_EQ(names, "event time name address probe port old new reason forced rtt_seconds lateness_seconds ");
}

TEST(NewsJson, SaysWhatHappenedToATargetThatDied) {
  EXPECT_EQ(news_json(died()),
            R"({"event":"target","time":"2024-02-29T12:00:00.000000001Z","name":"gw-a",)"
            R"("address":"192.0.2.1","probe":"icmp","port":0,"old":"up","new":"down","reason":"timeout",)"
            R"("forced":false,"rtt_seconds":null,"lateness_seconds":0.000087499})");
}

TEST(NewsJson, SaysWhatHappenedToATargetThatCameBack) {
  const Json json = Json::parse(news_json(came_back()));
  EXPECT_EQ(json["old"], "down");
  EXPECT_EQ(json["new"], "up");
  EXPECT_EQ(json["rtt_seconds"].dump(), "0.000412");
  EXPECT_TRUE(json["lateness_seconds"].is_null());
}

TEST(NewsJson, SaysWhoForcedTheStateAndWhichPortIsProbed) {
  TargetNews news = died();
  news.forced = true;
  news.probe = "tcp";
  news.port = 443;
  news.before = TargetState::unknown;
  const Json json = Json::parse(news_json(news));
  EXPECT_EQ(json["forced"], true);
  EXPECT_EQ(json["probe"], "tcp");
  EXPECT_EQ(json["port"], 443);
  EXPECT_EQ(json["old"], "unknown");
}

TEST(NewsJson, StaysOneLineAndTheSameTextWhateverItIsTold) {
  TargetNews news = died();
  news.reason = "a \"quote\", a \\, a\nnewline, \x01\x1f\x7f and Gr\xc3\xbc\xc3\x9f";
  news.name = "\"}";
  const std::string line = news_json(news);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const Json json = Json::parse(line);
  EXPECT_EQ(json["reason"], news.reason);
  EXPECT_EQ(json["name"], news.name);
}

TEST(NewsLine, OfATargetThatDiedSaysHowLateThatWasDecided) {
  EXPECT_EQ(news_line(died()),
            "target gw-a (192.0.2.1, icmp): up -> down: timeout, decided 87 us after the missed deadline");
}

TEST(NewsLine, OfATargetThatCameBackSaysTheRoundTripTime) {
  EXPECT_EQ(news_line(came_back()), "target gw-a (192.0.2.1, icmp): down -> up: reply in 0.4 ms");
}

TEST(NewsLine, NamesThePortThatIsProbed) {
  TargetNews news = came_back();
  news.address = "2001:db8::1";
  news.probe = "tcp";
  news.port = 443;
  EXPECT_EQ(news_line(news), "target gw-a (2001:db8::1, tcp port 443): down -> up: reply in 0.4 ms");
}

TEST(NewsLine, SaysThatAPersonForcedIt) {
  TargetNews news = died();
  news.forced = true;
  news.reason = "maintenance";
  EXPECT_EQ(news_line(news),
            "target gw-a (192.0.2.1, icmp): up -> down: maintenance, forced by xdpflowctl targets set");
}

TEST(NewsLine, WithoutTimesHasTheReasonAlone) {
  TargetNews news = died();
  news.reason = "icmp host unreachable";
  news.lateness_ns.reset();
  EXPECT_EQ(news_line(news), "target gw-a (192.0.2.1, icmp): up -> down: icmp host unreachable");
}

TEST(NewsLine, HasTimesInUnitsThatFitThem) {
  TargetNews late = died();
  late.lateness_ns = 12'340'000;
  EXPECT_NE(news_line(late).find("decided 12.3 ms after"), std::string::npos);
  late.lateness_ns = 2'500'000'000;
  EXPECT_NE(news_line(late).find("decided 2.5 s after"), std::string::npos);
  TargetNews near = came_back();
  near.rtt_ns = 8'000;
  EXPECT_NE(news_line(near).find("reply in 0.008 ms"), std::string::npos);
}

}  // namespace
}  // namespace xdpflowd
