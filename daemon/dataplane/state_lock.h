// SPDX-License-Identifier: GPL-2.0-or-later
// One daemon per state_dir. The kernel drops the lock when its holder dies, however it dies.
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace xdpflowd {

class StateLock {
 public:
  /// `state_dir` has to exist. Tries for 200 ms, so that a glance by daemon_running() is never taken for a
  /// daemon.
  static Result<StateLock> acquire(const std::string& state_dir);

 private:
  explicit StateLock(UniqueFd folder) : folder_(std::move(folder)) {}

  UniqueFd folder_;
};

/// For the tools. False also where nothing is loaded.
bool daemon_running(const std::string& state_dir);

}  // namespace xdpflowd
