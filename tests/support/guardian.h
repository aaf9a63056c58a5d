// SPDX-License-Identifier: GPL-2.0-or-later
// Nothing that a test makes outside of its process may outlive it: not after a crash, not after Ctrl-C or
// kill -9.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

namespace xdpflowd::test {

/// Something to undo: by the destructor, or, if the process dies first, by a guardian process that notices.
class Undo {
 public:
  /// Unmounts `path` and removes the mount point, a file or an empty directory.
  static Undo mount(const std::string& path);
  /// Kills the processes of a group.
  static Undo process_group(pid_t group);

  Undo(Undo&& other) noexcept : what_(std::exchange(other.what_, "")) {}
  Undo& operator=(Undo&& other) noexcept {
    std::swap(what_, other.what_);
    return *this;
  }
  ~Undo();

  /// Somebody else has undone it.
  void forget();

 private:
  explicit Undo(std::string what);

  std::string what_;  // "" once moved from or done
};

}  // namespace xdpflowd::test
