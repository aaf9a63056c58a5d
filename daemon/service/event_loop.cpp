// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/event_loop.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>

#include <exception>
#include <string>
#include <utility>

namespace xdpflowd {
namespace {

/// What sd-event carries as `userdata`. It belongs to the sd_event_source, which outlives a callback in which
/// its EventSource is destroyed.
struct Handler {
  EventLoop::Callback callback;
  std::shared_ptr<std::string> thrown;
  uint64_t interval_us = 0;  // of a timer
};

void remember(std::string& thrown, const char* what) {
  if (thrown.empty()) thrown = std::string("unexpected exception: ") + what;
}

/// No exception may pass through sd-event, which is C.
int call(sd_event_source* source, Handler& handler) noexcept {
  try {
    handler.callback();
    return 0;
  } catch (const std::exception& exception) {
    remember(*handler.thrown, exception.what());
  } catch (...) {
    remember(*handler.thrown, "of unknown type");
  }
  sd_event_exit(sd_event_source_get_event(source), 1);
  return 0;
}

int signal_arrived(sd_event_source* source, const signalfd_siginfo*, void* handler) {
  return call(source, *static_cast<Handler*>(handler));
}

int loop_is_idle(sd_event_source* source, void* handler) {
  return call(source, *static_cast<Handler*>(handler));
}

int fd_is_ready(sd_event_source* source, int, uint32_t, void* handler) {
  return call(source, *static_cast<Handler*>(handler));
}

int time_is_over(sd_event_source* source, uint64_t, void* handler) {
  return call(source, *static_cast<Handler*>(handler));
}

uint64_t accuracy_us(uint64_t wait_us) {
  return wait_us / 10 + 1;  // 0 would mean sd-event's default of 250 ms
}

int timer_fired(sd_event_source* source, uint64_t due_us, void* userdata) {
  auto& handler = *static_cast<Handler*>(userdata);
  uint64_t now_us = 0;
  sd_event_now(sd_event_source_get_event(source), CLOCK_MONOTONIC, &now_us);
  sd_event_source_set_time(source, next_due_us(due_us, handler.interval_us, now_us));
  return call(source, handler);
}

void delete_handler(void* handler) {
  delete static_cast<Handler*>(handler);
}

/// Common end of the functions that add a source: `added` is what sd_event_add_...() returned.
Result<EventSource> own(int added, sd_event_source* source, std::unique_ptr<Handler> handler,
                        const std::string& what) {
  if (added < 0) return system_error(added, what);
  sd_event_source_set_destroy_callback(source, delete_handler);
  handler.release();  // NOLINT(bugprone-unused-return-value): now the source's
  return EventSource(source);
}

}  // namespace

void block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

uint64_t next_due_us(uint64_t due_us, uint64_t interval_us, uint64_t now_us) {
  if (now_us < due_us) return due_us + interval_us;
  return due_us + ((now_us - due_us) / interval_us + 1) * interval_us;
}

Result<EventLoop> EventLoop::create() {
  sd_event* event = nullptr;
  if (const int error = sd_event_new(&event); error < 0)
    return system_error(error, "cannot make the main loop");
  return EventLoop(event);
}

Result<EventSource> EventLoop::on_signal(int signal, Callback callback) {
  auto handler = std::make_unique<Handler>(Handler{std::move(callback), thrown_});
  sd_event_source* source = nullptr;
  const int added = sd_event_add_signal(handle(), &source, signal, signal_arrived, handler.get());
  return own(added, source, std::move(handler), "cannot receive signal " + std::to_string(signal));
}

Result<EventSource> EventLoop::every(std::chrono::microseconds interval, Callback callback) {
  if (interval.count() <= 0) return fail("cannot make a timer: its interval must be above zero");
  const auto interval_us = static_cast<uint64_t>(interval.count());
  auto handler = std::make_unique<Handler>(Handler{std::move(callback), thrown_, interval_us});
  sd_event_source* source = nullptr;
  int added = sd_event_add_time_relative(handle(), &source, CLOCK_MONOTONIC, interval_us,
                                         accuracy_us(interval_us), timer_fired, handler.get());
  if (added >= 0) added = sd_event_source_set_enabled(source, SD_EVENT_ON);
  return own(added, source, std::move(handler), "cannot make a timer");
}

Result<EventSource> EventLoop::when_idle(Callback callback) {
  auto handler = std::make_unique<Handler>(Handler{std::move(callback), thrown_});
  sd_event_source* source = nullptr;
  int added = sd_event_add_defer(handle(), &source, loop_is_idle, handler.get());
  if (added >= 0) added = sd_event_source_set_enabled(source, SD_EVENT_ON);
  if (added >= 0) added = sd_event_source_set_priority(source, SD_EVENT_PRIORITY_IDLE);
  return own(added, source, std::move(handler), "cannot plan work for when the main loop is idle");
}

Result<EventSource> EventLoop::after(std::chrono::microseconds delay, Callback callback) {
  if (delay.count() < 0) return fail("cannot make a timer: its delay must not be below zero");
  const auto delay_us = static_cast<uint64_t>(delay.count());
  auto handler = std::make_unique<Handler>(Handler{std::move(callback), thrown_});
  sd_event_source* source = nullptr;
  const int added = sd_event_add_time_relative(handle(), &source, CLOCK_MONOTONIC, delay_us,
                                               accuracy_us(delay_us), time_is_over, handler.get());
  return own(added, source, std::move(handler), "cannot make a timer");
}

Result<EventSource> EventLoop::on_readable(int fd, Callback callback) {
  return on_ready(fd, EPOLLIN, std::move(callback));
}

Result<EventSource> EventLoop::on_writable(int fd, Callback callback) {
  return on_ready(fd, EPOLLOUT, std::move(callback));
}

Result<EventSource> EventLoop::on_hangup(int fd, Callback callback) {
  return on_ready(fd, EPOLLHUP, std::move(callback));
}

Result<EventSource> EventLoop::on_ready(int fd, uint32_t events, Callback callback) {
  auto handler = std::make_unique<Handler>(Handler{std::move(callback), thrown_});
  sd_event_source* source = nullptr;
  const int added = sd_event_add_io(handle(), &source, fd, events, fd_is_ready, handler.get());
  return own(added, source, std::move(handler), "cannot watch a file descriptor");
}

void EventLoop::stop(int exit_code) {
  sd_event_exit(handle(), exit_code);
}

Result<int> EventLoop::run() {
  const int exit_code = sd_event_loop(handle());
  if (!thrown_->empty()) return fail(*thrown_);
  if (exit_code < 0) return system_error(exit_code, "the main loop failed");
  return exit_code;
}

}  // namespace xdpflowd
