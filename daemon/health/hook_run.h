// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <signal.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "health/hook_log.h"
#include "health/program.h"
#include "health/target_news.h"
#include "service/event_loop.h"

namespace xdpflowd {

struct HookLimits {
  std::chrono::milliseconds time{10'000};  // then SIGTERM to the hook and all that it started
  std::chrono::milliseconds grace{1'000};  // from there to SIGKILL
  size_t at_once = 16;                     // hooks, over all targets
  std::string user{};                      // who hooks run as; "": the daemon's own user
};

enum class HookResult { ok, failed, timeout, not_started };

/// One run of a hook, on the event loop.
class HookRun {
 public:
  using Ended = std::function<void(HookResult)>;

  /// `ended` is called once, from the loop, and may destroy the run.
  static Result<std::unique_ptr<HookRun>> start(EventLoop& loop, const std::vector<std::string>& command,
                                                const TargetNews& news, const HookLimits& limits,
                                                Ended ended);

  void terminate() const { program_.signal(SIGTERM); }
  bool ends_by(std::chrono::steady_clock::time_point deadline) const { return program_.ends_by(deadline); }

 private:
  HookRun(EventLoop& loop, std::string title, const std::string& target, Program program,
          std::chrono::milliseconds grace, Ended ended);
  Status watch(std::chrono::milliseconds limit);
  void read_out();
  void read_err();
  void on_time_limit();
  void on_end();
  HookResult judge(const ProgramEnd& end) const;

  EventLoop& loop_;
  std::string title_;  // "target gw-a: hook /usr/local/bin/page-me"
  HookLog log_;
  Program program_;
  std::chrono::milliseconds grace_;
  Ended ended_;
  bool timed_out_ = false;
  std::unique_ptr<EventSource> exit_, out_, err_, limit_;
};

}  // namespace xdpflowd
