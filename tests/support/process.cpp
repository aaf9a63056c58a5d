// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace xdpflowd::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int ran_out_of_time = 124;  // as timeout(1) has it

[[noreturn]] void give_up(const std::string& what, int error) {
  throw std::runtime_error(what + ": " + std::strerror(error));
}

UniqueFd memory_file(const std::string& content = "") {
  UniqueFd file(memfd_create("of a test's program", MFD_CLOEXEC));
  if (!file || write(file.get(), content.data(), content.size()) < 0) give_up("memory file", errno);
  lseek(file.get(), 0, SEEK_SET);
  return file;
}

/// Leaves the offset alone: the program that writes shares it.
std::string content_of(const UniqueFd& file) {
  struct stat status {};
  fstat(file.get(), &status);
  std::string content(static_cast<size_t>(status.st_size), '\0');
  const ssize_t got = pread(file.get(), content.data(), content.size(), 0);
  content.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return content;
}

/// What a program starts with: signals as a shell would have them, whatever the test blocks, and its own
/// group.
class SpawnAttributes {
 public:
  SpawnAttributes() {
    sigset_t none;
    sigemptyset(&none);
    sigset_t defaults = none;
    for (const int signal : {SIGHUP, SIGINT, SIGPIPE}) sigaddset(&defaults, signal);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &defaults);
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes_); }

  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

pid_t spawn(const Argv& argv, const UniqueFd& in, const UniqueFd& out, const UniqueFd& err) {
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, err.get(), STDERR_FILENO);
  const SpawnAttributes attributes;
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, arguments[0], &files, attributes.get(), arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) give_up("cannot run " + argv.at(0), error);
  return pid;
}

/// The declaration in Debian 12's <sys/pidfd.h> has no extern "C".
UniqueFd open_pidfd(pid_t pid) {
  UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) give_up("pidfd_open", errno);
  return pidfd;
}

std::string command_line(const Argv& argv) {
  std::string line;
  for (const std::string& argument : argv) line += (line.empty() ? "" : " ") + argument;
  return line;
}

}  // namespace

bool eventually(Milliseconds timeout, const std::function<bool()>& predicate) {
  const auto deadline = Clock::now() + timeout;
  while (!predicate()) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(Milliseconds(5));
  }
  return true;
}

bool is_alive(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  if (!std::getline(file, stat)) return false;
  return stat.compare(stat.rfind(')') + 2, 1, "Z") != 0;
}

Background::Background(const Argv& argv, const std::string& input)
    : out_(memory_file()),
      err_(memory_file()),
      pid_(spawn(argv, memory_file(input), out_, err_)),
      group_(Undo::process_group(pid_)),
      pidfd_(open_pidfd(pid_)) {}

Background::~Background() {
  if (!pidfd_ || !is_running()) return;  // moved from, or ended
  kill(-pid_, SIGTERM);
  if (!wait(std::chrono::seconds(5))) reap();
}

std::string Background::out() const {
  return content_of(out_);
}

std::string Background::err() const {
  return content_of(err_);
}

void Background::signal(int number) {
  if (!status_) kill(pid_, number);
}

std::optional<int> Background::wait(Milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  while (!status_) {
    const auto left = std::chrono::ceil<Milliseconds>(deadline - Clock::now());
    pollfd ended{pidfd_.get(), POLLIN, 0};
    const int ready = poll(&ended, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
    if (ready > 0) return reap();
    if (ready == 0) return std::nullopt;
    if (errno != EINTR) give_up("poll", errno);
  }
  return status_;
}

bool Background::wait_for_output(const std::string& text, Milliseconds timeout) {
  eventually(timeout, [&] { return said(text) || !is_running(); });
  return said(text);
}

bool Background::said(const std::string& text) const {
  return out().find(text) != std::string::npos || err().find(text) != std::string::npos;
}

/// The group first: until its leader is waited for, nobody else can get its number.
int Background::reap() {
  kill(-pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  group_.forget();
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return *status_;
}

Outcome run(const Argv& argv, Milliseconds timeout, const std::string& input) {
  Background program(argv, input);
  auto status = program.wait(timeout);
  if (!status) {
    program.signal(SIGKILL);
    program.wait(std::chrono::seconds(5));
    status = ran_out_of_time;
  }
  return {*status, program.out(), program.err()};
}

std::string must_run(const Argv& argv, const std::string& input) {
  const Outcome outcome = run(argv, std::chrono::seconds(60), input);
  if (outcome.status == 0) return outcome.out;
  throw std::runtime_error("`" + command_line(argv) + "` ended with " + std::to_string(outcome.status) +
                           ": " + outcome.err + outcome.out);
}

}  // namespace xdpflowd::test
