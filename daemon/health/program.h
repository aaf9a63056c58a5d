// SPDX-License-Identifier: GPL-2.0-or-later
// A program that the daemon starts and does not wait for.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace xdpflowd {

/// Who a program runs as, with the groups of a login.
struct Identity {
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;
};

Result<Identity> look_up_user(const std::string& name);

struct ProgramStart {
  std::vector<std::string> command;      // the path of a program, and its arguments; no shell, no search
  std::vector<std::string> environment;  // all of it: "NAME=value"
  std::optional<Identity> identity;      // none: the daemon's own
};

/// What became of it.
struct ProgramEnd {
  std::optional<Error> not_started;  // it could not become that user, or could not be executed
  int status = 0;                    // as wait(2) has it

  bool succeeded() const { return !not_started && status == 0; }
  std::string text() const;  // "exit status 3", "killed by signal 9 (Killed)"
};

/// A process in a session of its own, in the root folder, with default signals, with no descriptors but stdin
/// (/dev/null), stdout and stderr (pipes).
class Program {
 public:
  /// Does not wait for the program file, which may be on a disk that does not answer: a start that fails is
  /// an end like others.
  static Result<Program> start(const ProgramStart& what);
  Program(Program&&) = default;
  Program& operator=(Program&&) = delete;
  /// Kills it with all of its group.
  ~Program();

  int pidfd() const { return pidfd_.get(); }  // readable once it has ended
  int out() const { return out_.get(); }      // non-blocking
  int err() const { return err_.get(); }

  /// To all of its group.
  void signal(int number) const;
  /// Whether it has ended by then.
  bool ends_by(std::chrono::steady_clock::time_point deadline) const;
  /// Once it has ended. Kills what it left behind in its group.
  ProgramEnd end();

 private:
  Program() = default;

  pid_t pid_ = 0;
  UniqueFd pidfd_;  // empty once moved from
  UniqueFd out_, err_;
  UniqueFd failure_;  // says why the program did not start; else nothing
  bool collected_ = false;
};

}  // namespace xdpflowd
