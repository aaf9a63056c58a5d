// SPDX-License-Identifier: GPL-2.0-or-later
// Programs run by tests: with a time limit, with their output at hand, and never left behind.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "support/guardian.h"

namespace xdpflowd::test {

using Milliseconds = std::chrono::milliseconds;
using Argv = std::vector<std::string>;

/// Asks `predicate` every few milliseconds until it is true (returns true) or `timeout` is over (false).
bool eventually(Milliseconds timeout, const std::function<bool()>& predicate);

/// Alive, and not merely a zombie that its parent has yet to collect.
bool is_alive(pid_t pid);

struct Outcome {
  int status = 0;  // exit status; 128 + signal if a signal ended it; 124 if it ran out of time and was killed
  std::string out;
  std::string err;
};

/// A program in a process group of its own. Its output is kept in memory, so it never waits for a reader.
class Background {
 public:
  /// Throws if there is no such program.
  explicit Background(const Argv& argv, const std::string& input = "");
  Background(Background&&) = default;
  Background& operator=(Background&&) = delete;
  /// SIGTERM, and SIGKILL after five seconds, to the whole group.
  ~Background();

  pid_t pid() const { return pid_; }
  std::string out() const;
  std::string err() const;

  /// To the program itself, not to its children.
  void signal(int number);
  /// Exit status as in Outcome, or nothing if it still runs after `timeout`. What it left in its group is
  /// killed.
  std::optional<int> wait(Milliseconds timeout);
  bool is_running() { return !wait(Milliseconds(0)); }
  /// Whether `text` appears in stdout or stderr within `timeout`; false as soon as the program ends without
  /// it.
  bool wait_for_output(const std::string& text, Milliseconds timeout);

 private:
  bool said(const std::string& text) const;
  int reap();

  UniqueFd out_;
  UniqueFd err_;
  pid_t pid_;
  Undo group_;
  UniqueFd pidfd_;  // empty once moved from
  std::optional<int> status_;
};

/// Runs a program to its end.
Outcome run(const Argv& argv, Milliseconds timeout = std::chrono::seconds(20), const std::string& input = "");

/// The same; throws with its stderr unless it exits with 0. Returns its stdout.
std::string must_run(const Argv& argv, const std::string& input = "");

}  // namespace xdpflowd::test
