// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/program.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace xdpflowd {
namespace {

using Clock = std::chrono::steady_clock;

enum class Step : int { descriptors, user, execute };

/// What the child writes if it cannot become the program.
struct Failure {
  Step step;
  int error;
};

struct Pipe {
  UniqueFd reader, writer;
};

/// All that the child needs, made before it is born: between fork() and execve() only async-signal-safe
/// functions may be called.
struct Plan {
  char* const* arguments;
  char* const* environment;
  const Identity* identity;  // null: stays who it is
  int out, err, failure;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return system_error(errno, "no pipe for its output");
  Pipe made{UniqueFd(ends[0]), UniqueFd(ends[1])};
  fcntl(made.reader.get(), F_SETFL, O_NONBLOCK);  // only ours: the program's end must block as any other
  return made;
}

[[noreturn]] void give_up(const Plan& plan, Step step) {
  const Failure failure{step, errno};
  (void)!write(plan.failure, &failure, sizeof failure);
  _exit(127);
}

/// Ignored signals and blocked ones would be inherited.
void reset_signals() {
  for (int number = 1; number < NSIG; number++) ::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// The pipes are moved away from 0, 1 and 2 first, where they are if the daemon was started without these.
void arrange_descriptors(Plan& plan) {
  plan.failure = fcntl(plan.failure, F_DUPFD_CLOEXEC, 3);
  const int out = fcntl(plan.out, F_DUPFD_CLOEXEC, 3);
  const int err = fcntl(plan.err, F_DUPFD_CLOEXEC, 3);
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int in = fcntl(null, F_DUPFD_CLOEXEC, 3);
  if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0 ||
      syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
    give_up(plan, Step::descriptors);
}

void become_user(const Plan& plan) {
  const Identity& who = *plan.identity;
  if (setgroups(who.groups.size(), who.groups.data()) != 0 ||
      setresgid(who.group, who.group, who.group) != 0 || setresuid(who.user, who.user, who.user) != 0)
    give_up(plan, Step::user);
}

[[noreturn]] void become_program(Plan plan) {
  setsid();
  arrange_descriptors(plan);
  if (chdir("/") != 0) give_up(plan, Step::descriptors);
  if (plan.identity != nullptr) become_user(plan);
  reset_signals();
  execve(plan.arguments[0], plan.arguments, plan.environment);
  give_up(plan, Step::execute);
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const auto& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

Error explained(const Failure& failure) {
  switch (failure.step) {
    case Step::user:
      return system_error(failure.error, "cannot become its user");
    case Step::descriptors:
      return system_error(failure.error, "cannot be given its descriptors");
    case Step::execute:
      break;
  }
  Error error = system_error(failure.error, "cannot be executed");
  if (failure.error == ENOEXEC) error.message += "; a script begins with a line such as #!/bin/sh";
  if (failure.error == ENOENT) error.message += " (the program, or the interpreter that a script names)";
  return error;
}

std::optional<Error> read_failure(const UniqueFd& pipe) {
  Failure failure{};
  if (read(pipe.get(), &failure, sizeof failure) != sizeof failure) return std::nullopt;
  return explained(failure);
}

}  // namespace

Result<Identity> look_up_user(const std::string& name) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> texts(16'384);
  const int error = getpwnam_r(name.c_str(), &entry, texts.data(), texts.size(), &found);
  if (found == nullptr)
    return error == 0 ? fail("there is no user \"" + name + "\"")
                      : system_error(error, "cannot look up the user \"" + name + "\"");
  Identity identity{entry.pw_uid, entry.pw_gid, std::vector<gid_t>(64)};
  auto count = static_cast<int>(identity.groups.size());
  while (getgrouplist(name.c_str(), entry.pw_gid, identity.groups.data(), &count) < 0)
    identity.groups.resize(std::max(static_cast<size_t>(count), identity.groups.size() * 2));
  identity.groups.resize(static_cast<size_t>(count));
  return identity;
}

std::string ProgramEnd::text() const {
  if (not_started) return not_started->message;
  if (!WIFSIGNALED(status)) return "exit status " + std::to_string(WEXITSTATUS(status));
  const int number = WTERMSIG(status);
  return "killed by signal " + std::to_string(number) + " (" + strsignal(number) + ")";
}

// fork(), not vfork() or posix_spawn(): those hold up the daemon until the program file was read.
Result<Program> Program::start(const ProgramStart& what) {
  auto out = make_pipe();
  auto err = make_pipe();
  auto failure = make_pipe();
  for (const auto* made : {&out, &err, &failure})
    if (!*made) return made->error();
  const auto arguments = pointers_to(what.command);
  const auto environment = pointers_to(what.environment);
  const Plan plan{arguments.data(),  environment.data(), what.identity ? &*what.identity : nullptr,
                  out->writer.get(), err->writer.get(),  failure->writer.get()};
  Program program;
  program.pid_ = fork();
  if (program.pid_ < 0) return system_error(errno, "no process for it");
  if (program.pid_ == 0) become_program(plan);
  program.pidfd_ = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, program.pid_, 0)));
  program.out_ = std::move(out->reader);
  program.err_ = std::move(err->reader);
  program.failure_ = std::move(failure->reader);
  if (program.pidfd_) return program;
  const Error error = system_error(errno, "no descriptor for its process");
  program.signal(SIGKILL);
  waitpid(program.pid_, nullptr, 0);
  return error;
}

Program::~Program() {
  if (!pidfd_ || collected_) return;
  signal(SIGKILL);
  if (ends_by(Clock::now() + std::chrono::milliseconds(100))) end();
}

void Program::signal(int number) const {
  // It may not have made its group yet; then it is alone.
  if (kill(-pid_, number) != 0) kill(pid_, number);
}

bool Program::ends_by(Clock::time_point deadline) const {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd ended{pidfd(), POLLIN, 0};
    const int ready = poll(&ended, 1, static_cast<int>(std::max<int64_t>(left, 0)));
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

ProgramEnd Program::end() {
  // The group first: until its leader is collected, nobody else can get its number.
  kill(-pid_, SIGKILL);
  ProgramEnd end;
  while (waitpid(pid_, &end.status, 0) < 0 && errno == EINTR) {
  }
  collected_ = true;
  end.not_started = read_failure(failure_);
  return end;
}

}  // namespace xdpflowd
