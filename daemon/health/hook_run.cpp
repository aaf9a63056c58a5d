// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/hook_run.h"

#include <signal.h>
#include <unistd.h>

#include <array>

#include "base/log.h"

namespace xdpflowd {
namespace {

using Source = std::unique_ptr<EventSource>;

constexpr int pipe_reads_max = 16;  // a pipe holds so many buffers; somebody may be writing all the time

std::string seconds_text(std::optional<uint64_t> nanoseconds) {
  constexpr uint64_t second = 1'000'000'000;
  if (!nanoseconds) return "";
  return fmt::format("{}.{:09}", *nanoseconds / second, *nanoseconds % second);
}

std::vector<std::string> environment_of(const TargetNews& news) {
  return {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
          "XDPFLOWD_TARGET=" + news.name,
          "XDPFLOWD_ADDRESS=" + news.address,
          "XDPFLOWD_OLD=" + std::string(target_state_name(news.before)),
          "XDPFLOWD_NEW=" + std::string(target_state_name(news.after)),
          "XDPFLOWD_REASON=" + news.reason,
          "XDPFLOWD_RTT=" + seconds_text(news.rtt_ns)};
}

Result<Program> start_program(const std::vector<std::string>& command, const TargetNews& news,
                              const std::string& user) {
  ProgramStart start{command, environment_of(news), std::nullopt};
  if (!user.empty()) {
    auto identity = look_up_user(user);
    if (!identity) return identity.error();
    start.identity = std::move(*identity);
  }
  return Program::start(start);
}

/// Hands on what the pipe holds now: "read" buffers at most. False at its end.
bool read_pipe(int fd, int reads, const std::function<void(std::string_view)>& take) {
  std::array<char, 4096> buffer{};
  for (int i = 0; i < reads; i++) {
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return false;
    take({buffer.data(), static_cast<size_t>(got)});
  }
  return true;
}

Status assign(Source& to, Result<EventSource> made) {
  if (!made) return made.error();
  to = std::make_unique<EventSource>(std::move(*made));
  return ok();
}

}  // namespace

Result<std::unique_ptr<HookRun>> HookRun::start(EventLoop& loop, const std::vector<std::string>& command,
                                                const TargetNews& news, const HookLimits& limits,
                                                Ended ended) {
  const std::string title = "target " + news.name + ": hook " + command.at(0);
  auto program = start_program(command, news, limits.user);
  if (!program) return in_context(program.error(), title + " not run");
  std::unique_ptr<HookRun> run(
      new HookRun(loop, title, news.name, std::move(*program), limits.grace, std::move(ended)));
  if (auto watched = run->watch(limits.time); !watched) return in_context(watched.error(), title);
  return run;
}

HookRun::HookRun(EventLoop& loop, std::string title, const std::string& target, Program program,
                 std::chrono::milliseconds grace, Ended ended)
    : loop_(loop),
      title_(std::move(title)),
      log_(target),
      program_(std::move(program)),
      grace_(grace),
      ended_(std::move(ended)) {}

Status HookRun::watch(std::chrono::milliseconds limit) {
  if (auto made = assign(exit_, loop_.on_readable(program_.pidfd(), [this] { on_end(); })); !made)
    return made;
  if (auto made = assign(out_, loop_.on_readable(program_.out(), [this] { read_out(); })); !made) return made;
  if (auto made = assign(err_, loop_.on_readable(program_.err(), [this] { read_err(); })); !made) return made;
  return assign(limit_, loop_.after(limit, [this] { on_time_limit(); }));
}

void HookRun::read_out() {
  if (!read_pipe(program_.out(), 1, [this](std::string_view bytes) { log_.take_out(bytes); })) out_.reset();
}

void HookRun::read_err() {
  if (!read_pipe(program_.err(), 1, [this](std::string_view bytes) { log_.take_err(bytes); })) err_.reset();
}

void HookRun::on_time_limit() {
  if (timed_out_) return program_.signal(SIGKILL);
  timed_out_ = true;
  log::error("{} did not end in time and is killed", title_);
  program_.signal(SIGTERM);
  if (auto made = assign(limit_, loop_.after(grace_, [this] { on_time_limit(); })); !made)
    program_.signal(SIGKILL);
}

void HookRun::on_end() {
  const ProgramEnd end = program_.end();
  read_pipe(program_.out(), pipe_reads_max, [this](std::string_view bytes) { log_.take_out(bytes); });
  read_pipe(program_.err(), pipe_reads_max, [this](std::string_view bytes) { log_.take_err(bytes); });
  log_.finish();
  const HookResult result = judge(end);
  const Ended ended = std::move(ended_);  // it may destroy this
  ended(result);
}

/// One line in the log for all that did not go well; that of the time limit is there already.
HookResult HookRun::judge(const ProgramEnd& end) const {
  if (timed_out_) return HookResult::timeout;
  if (end.succeeded()) return HookResult::ok;
  log::error("{} {}{}", title_, end.not_started ? "" : "failed: ", end.text());
  return end.not_started ? HookResult::not_started : HookResult::failed;
}

}  // namespace xdpflowd
