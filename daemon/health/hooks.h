// SPDX-License-Identifier: GPL-2.0-or-later
// The programs of `on_change`: who is run when, for which change.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "health/hook_run.h"
#include "health/target_news.h"
#include "service/event_loop.h"

namespace xdpflowd {

/// Changes by what became of them: each is counted once, when it is over.
struct HookCounters {
  uint64_t ok = 0;
  uint64_t failed = 0;   // an exit status other than 0, a signal
  uint64_t timeout = 0;  // killed
  uint64_t not_started = 0;
  uint64_t superseded = 0;  // a later change came while it waited, or it ended where the program already was
};

/// Runs hooks on the loop, which must outlive it. One at a time per target: while one runs or waits for its
/// turn, later changes of that target become one change, from what the program was told last to the latest
/// state; none is run if these are the same. A bounded number over all targets, others wait in their order.
///
/// Its end is the end of the hooks: those that run get SIGTERM, and SIGKILL if they are still there a second
/// later; those that wait are not run, since whoever starts next tells what has changed by then.
class HookRunner {
 public:
  explicit HookRunner(EventLoop& loop);
  HookRunner(const HookRunner&) = delete;
  HookRunner& operator=(const HookRunner&) = delete;
  ~HookRunner();

  /// `command`: a program's path and its arguments; none: nothing is run. Starts nothing by itself: the loop
  /// does, when it turns, a few at a time.
  void run(const std::vector<std::string>& command, const TargetNews& news);

  /// For hooks that start from now on.
  void set_limits(HookLimits limits) { limits_ = std::move(limits); }

  const HookCounters& counters() const { return counters_; }
  size_t running() const { return running_; }
  size_t waiting() const { return waiting_; }

 private:
  struct Change {
    std::vector<std::string> command;
    TargetNews news;
  };
  /// Of those with a hook that runs or waits.
  struct Target {
    std::unique_ptr<HookRun> run;
    TargetState told = TargetState::unknown;  // to the hook that runs
    std::optional<Change> waiting;
    bool queued = false;  // once in queue_ at most
  };

  bool supersedes(Target& target, Change& change);
  void enqueue(const std::string& name, Target& target);
  void start_soon();
  void start_some();
  void start(const std::string& name, Target& target);
  void ended(const std::string& name, HookResult result);
  void count(HookResult result);
  void forget_if_idle(const std::string& name);

  EventLoop& loop_;
  HookLimits limits_;
  HookCounters counters_;
  std::unordered_map<std::string, Target> targets_;
  std::deque<std::string> queue_;  // names of targets, by who waits for longest
  size_t running_ = 0;
  size_t waiting_ = 0;
  std::optional<EventSource> soon_;  // while start_some() is planned
};

}  // namespace xdpflowd
