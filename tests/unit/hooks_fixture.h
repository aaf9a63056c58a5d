// SPDX-License-Identifier: GPL-2.0-or-later
// Hooks that are real programs; what they write is in the log.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "health/hooks.h"
#include "unit/turning_loop.h"

namespace xdpflowd::test {

struct HooksTest : testing::Test {
  static TargetNews news(const std::string& name = "gw-a", TargetState before = TargetState::up,
                         TargetState after = TargetState::down) {
    TargetNews made;
    made.name = name;
    made.address = "192.0.2.1";
    made.probe = "icmp";
    made.before = before;
    made.after = after;
    made.reason = "timeout";
    return made;
  }
  static std::vector<std::string> shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

  /// To its end; what it wrote to stdout.
  std::vector<std::string> run(const std::vector<std::string>& command, const TargetNews& about = news()) {
    runner->run(command, about);
    EXPECT_TRUE(all_ended());
    return said(about.name);
  }
  bool all_ended() {
    return loop.turns_until([this] { return runner->running() + runner->waiting() == 0; });
  }
  std::vector<std::string> said(const std::string& name = "gw-a") const {
    return log.lines("info target " + name + ": hook: ");
  }
  /// Waits for the next line of a hook that runs.
  std::string hears(size_t line = 0) {
    EXPECT_TRUE(loop.turns_until([&] { return said().size() > line; })) << log.text();
    return said().size() > line ? said()[line] : "";
  }
  std::vector<std::string> complaints() const {
    auto all = log.lines("error ");
    for (auto& line : log.lines("warning ")) all.push_back(line);
    return all;
  }
  const HookCounters& counters() const { return runner->counters(); }

  KeptLog log;
  TurningLoop loop;  // outlives the runner
  std::unique_ptr<HookRunner> runner = std::make_unique<HookRunner>(*loop);
};

}  // namespace xdpflowd::test
