// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/guardian.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "base/unique_fd.h"

namespace xdpflowd::test {
namespace {

// What is to be undone is written as one letter and an argument: "m/run/netns/x", "g4711".
constexpr char mount_letter = 'm';
constexpr char group_letter = 'g';

void undo(const std::string& what) {
  const char* argument = what.c_str() + 1;
  if (what.front() == mount_letter) {
    umount2(argument, MNT_DETACH);
    if (unlink(argument) != 0) rmdir(argument);
  } else {
    pid_t group = 0;
    std::from_chars(argument, argument + std::strlen(argument), group);
    if (group > 1) kill(-group, SIGKILL);
  }
}

enum class Order : char { remember, forget };

/// One write to the pipe, small enough to be atomic.
struct Message {
  Order order;
  std::array<char, 255> what;  // ends with NUL
};

/// Ends when the last writer has closed the pipe, which the kernel does for a process however it dies.
[[noreturn]] void guard(int pipe) {
  std::vector<std::string> undone_last_first;
  Message message{};
  while (read(pipe, &message, sizeof(message)) == sizeof(message)) {
    if (message.order == Order::remember) {
      undone_last_first.insert(undone_last_first.begin(), message.what.data());
    } else {
      const auto found = std::ranges::find(undone_last_first, message.what.data());
      if (found != undone_last_first.end()) undone_last_first.erase(found);
    }
  }
  for (const std::string& what : undone_last_first) undo(what);
  _exit(0);
}

/// In the grandchild: neither a terminal's Ctrl-C nor somebody who kills the test's children reaches it, and
/// it keeps no descriptor alive but its pipe and stdout and stderr, by whose end a caller sees that all is
/// undone.
[[noreturn]] void become_guardian(int pipe) {
  setsid();
  if (fork() != 0) _exit(0);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) ::signal(signal, SIG_IGN);
  constexpr int lowest = 3;
  dup2(pipe, lowest);
  close_range(lowest + 1, ~0U, 0);
  guard(lowest);
}

UniqueFd start_guardian() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe for the guardian");
  const UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("no guardian process");
  if (child == 0) become_guardian(reader.get());
  waitpid(child, nullptr, 0);
  return writer;
}

/// The pipe to this process's own guardian. A forked child gets another one, and lets go of its parent's.
int guardian() {
  static pid_t owner = 0;
  static UniqueFd pipe;
  if (owner != getpid()) {
    pipe = start_guardian();
    owner = getpid();
  }
  return pipe.get();
}

bool tell_guardian(Order order, const std::string& what) {
  Message message{order, {}};
  if (what.size() >= message.what.size()) return false;
  what.copy(message.what.data(), what.size());
  return write(guardian(), &message, sizeof(message)) == sizeof(message);
}

}  // namespace

Undo::Undo(std::string what) : what_(std::move(what)) {
  tell_guardian(Order::remember, what_);
}

Undo Undo::mount(const std::string& path) {
  return Undo(mount_letter + path);
}

Undo Undo::process_group(pid_t group) {
  return Undo(group_letter + std::to_string(group));
}

Undo::~Undo() {
  if (what_.empty()) return;
  undo(what_);
  forget();
}

void Undo::forget() {
  tell_guardian(Order::forget, std::exchange(what_, ""));
}

}  // namespace xdpflowd::test
