// SPDX-License-Identifier: GPL-2.0-or-later
// What `xdpflowctl targets` prints, and how it is redrawn.
#include <gmock/gmock.h>
#include <signal.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <sstream>

#include "ctl/target_table.h"
#include "ctl/watch.h"
#include "unit/targets.h"

namespace xdpflowd {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;
using test::down_target;
using test::new_target;
using test::second_ns;
using test::target_look;
using test::target_now_ns;
using test::up_target;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> table_of(const std::vector<Target>& targets, const Look& look = target_look,
                                  size_t width = 0) {
  std::ostringstream out;
  write_target_table(out, targets, look, width);
  std::istringstream in(out.str());
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string array_text(const std::vector<Target>& targets, Lines lines = Lines::one_per_target) {
  std::ostringstream out;
  write_target_array(out, targets, target_look, lines);
  return out.str();
}

Json json_of(const Target& target) {
  return Json::parse(array_text({target}))[0];
}

TEST(TargetTable, ATargetIsOneAlignedLine) {
  Target web = down_target();
  web.config.address = test::address("2001:db8::1");
  web.config.probe = XF_PROBE_TCP;
  web.config.port = htons(443);
  web.state.forced = XF_HEALTH_DOWN;
  EXPECT_THAT(
      table_of({up_target(), web}),
      ElementsAre(
          "NAME   ADDRESS      PROBE    STATE          SINCE    RTT         MIN/AVG/MAX  LOSS  ERROR",
          "gw-a   192.0.2.1    icmp     up             4m12s  412us  300us/500us/1.20ms    0%  -",
          "web-1  2001:db8::1  tcp:443  down (forced)   5.0s  412us  300us/500us/1.20ms   15%  timeout"));
}

TEST(TargetTable, WhatIsNotKnownIsADash) {
  EXPECT_THAT(table_of({new_target()})[1],
              "gw-a  192.0.2.1  icmp   unknown      -    -            -     -  -");
}

TEST(TargetTable, WithoutTargetsIsItsHeader) {
  EXPECT_THAT(table_of({}), ElementsAre("NAME  ADDRESS  PROBE  STATE  SINCE  RTT  MIN/AVG/MAX  LOSS  ERROR"));
}

TEST(TargetTable, AStaleStateIsMarked) {
  EXPECT_THAT(table_of({up_target()}, {target_now_ns, 0})[1], HasSubstr("  up (stale)  "));
}

TEST(TargetTable, ThoseOfALabFitATerminalOf80Columns) {
  const auto lines = table_of({up_target()}, target_look, 80);
  EXPECT_EQ(lines.size(), 2U);
}

TEST(TargetTable, NoLineIsWiderThanTheTerminal) {
  Target target = down_target();
  test::rename(target, "a-backend-with-a-long-name");
  target.config.address = test::address("2001:db8:1111:2222:3333:4444:5555:6666");
  target.state.forced = XF_HEALTH_DOWN;
  for (size_t width = 80; width <= 160; ++width)
    for (const auto& line : table_of({target}, {target_now_ns, 0}, width)) EXPECT_LE(line.size(), width);
}

TEST(TargetTable, StopsWhenTheReaderIsGone) {
  std::ostringstream out;
  out.setstate(std::ios::badbit);
  write_target_table(out, std::vector<Target>(10, up_target()), target_look, 0);
  write_target_array(out, std::vector<Target>(10, up_target()), target_look, Lines::one);
  EXPECT_EQ(out.str(), "");
}

TEST(TargetJson, HasItsNamesInTheirOrder) {
  std::string names;
  const Json target = json_of(up_target());
  for (const auto& [name, value] : target.items()) names += name + " ";
  EXPECT_EQ(names,
            "name address probe port state since_seconds rtt_seconds consecutive_failures probes_sent "
            "probes_failed consecutive_successes stale forced weight interval_seconds rtt_min_seconds "
            "rtt_avg_seconds rtt_max_seconds loss_ratio last_error late unresolved transitions ");
}

TEST(TargetJson, SaysWhatTheKernelKnows) {
  Target target = down_target();
  target.config.probe = XF_PROBE_UDP;
  target.config.port = htons(53);
  target.config.weight = 7;
  target.state.results[XF_RESULT_LATE] = 2;
  target.state.results[XF_RESULT_UNRESOLVED] = 4;
  const Json expected = {
      {"name", "web-1"},
      {"address", "192.0.2.1"},
      {"probe", "udp"},
      {"port", 53},
      {"state", "down"},
      {"since_seconds", 5.0},
      {"rtt_seconds", 0.000412},
      {"consecutive_failures", 3},
      {"probes_sent", 20},
      {"probes_failed", 3},
      {"consecutive_successes", 0},
      {"stale", false},
      {"forced", false},
      {"weight", 7},
      {"interval_seconds", 1.0},
      {"rtt_min_seconds", 0.0003},
      {"rtt_avg_seconds", 0.0005},
      {"rtt_max_seconds", 0.0012},
      {"loss_ratio", 0.15},
      {"last_error", "timeout"},
      {"late", 2},
      {"unresolved", 4},
      {"transitions", {{"up", 1}, {"down", 1}, {"unknown", 0}}},
  };
  EXPECT_EQ(json_of(target), expected);
}

TEST(TargetJson, WhatIsNotKnownIsNull) {
  const Json target = json_of(new_target());
  for (const char* name : {"since_seconds", "rtt_seconds", "rtt_min_seconds", "rtt_avg_seconds",
                           "rtt_max_seconds", "loss_ratio", "last_error"})
    EXPECT_TRUE(target[name].is_null()) << name;
  EXPECT_EQ(target["state"], "unknown");
}

TEST(TargetJson, ShowsTheOperatorsWordAndWhoseItIs) {
  Target target = up_target();
  target.state.forced = XF_HEALTH_DOWN;
  EXPECT_EQ(json_of(target)["state"], "down");
  EXPECT_EQ(json_of(target)["forced"], true);
}

TEST(TargetJson, IsOneTargetPerLineOrOneArrayPerLine) {
  const std::vector<Target> targets{up_target(), down_target()};
  EXPECT_EQ(std::ranges::count(array_text(targets), '\n'), 4);
  EXPECT_EQ(std::ranges::count(array_text(targets, Lines::one), '\n'), 1);
  EXPECT_EQ(Json::parse(array_text(targets)), Json::parse(array_text(targets, Lines::one)));
}

TEST(TargetJson, WithoutTargetsIsAnEmptyArray) {
  EXPECT_EQ(array_text({}), "[]\n");
  EXPECT_EQ(array_text({}, Lines::one), "[]\n");
}

TEST(TargetJson, TheAnswerToASetIsWhatBecameOfTheTarget) {
  Target target = up_target();
  EXPECT_EQ(forced_answer(target, target_look, false), "gw-a: up\n");
  target.state.forced = XF_HEALTH_DOWN;
  EXPECT_EQ(forced_answer(target, target_look, false), "gw-a: down (forced)\n");
  EXPECT_EQ(forced_answer(target, target_look, true), R"({"name":"gw-a","state":"down","forced":true})"
                                                      "\n");
}

/// Draws "x" on a line of its own; the signal comes with the last picture.
std::string watched(Redraw redraw, int pictures, int signal) {
  std::ostringstream out;
  EXPECT_TRUE(watch(out, redraw, milliseconds(1), [&]() -> Status {
    out << "x\n";
    if (--pictures == 0) raise(signal);
    return ok();
  }));
  return out.str();
}

TEST(Watch, DrawsUntilItIsInterruptedAndFinishesThePicture) {
  EXPECT_EQ(watched(Redraw::next_line, 3, SIGINT), "x\nx\nx\n");
  EXPECT_EQ(watched(Redraw::next_line, 2, SIGTERM), "x\nx\n");
}

TEST(Watch, SeparatesPicturesByABlankLineWhereThereIsNoScreen) {
  EXPECT_EQ(watched(Redraw::after_blank_line, 3, SIGINT), "x\n\nx\n\nx\n");
}

TEST(Watch, BeginsEveryPictureAtTheTopOfAnEmptyScreen) {
  EXPECT_EQ(watched(Redraw::clears_screen, 2, SIGINT), "\x1b[H\x1b[2Jx\n\x1b[H\x1b[2Jx\n");
}

TEST(Watch, EndsQuietlyWhenTheReaderIsGone) {
  std::ostringstream out;
  int pictures = 0;
  EXPECT_TRUE(watch(out, Redraw::next_line, std::chrono::hours(1), [&]() -> Status {
    ++pictures;
    out.setstate(std::ios::badbit);
    return ok();
  }));
  EXPECT_EQ(pictures, 1);
}

TEST(Watch, EndsWithTheErrorOfAPicture) {
  std::ostringstream out;
  const auto watching =
      watch(out, Redraw::next_line, std::chrono::hours(1), []() -> Status { return fail("gone"); });
  ASSERT_FALSE(watching);
  EXPECT_EQ(watching.error().message, "gone");
}

}  // namespace
}  // namespace xdpflowd
