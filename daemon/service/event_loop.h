// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon's main loop: sd-event behind types that own their sources. One thread.
#pragma once

#include <systemd/sd-event.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/result.h"

namespace xdpflowd {

/// Blocks the signals that the loop receives, and SIGPIPE, so that a closed socket or log is an error and no
/// death. First thing in main(): threads inherit the mask, and a thread without it would take the signal's
/// default action.
void block_signals();

/// When a timer that was due at `due_us` is due next: whole intervals later and after `now_us`, so that it
/// neither drifts nor makes up for lost time in a burst.
uint64_t next_due_us(uint64_t due_us, uint64_t interval_us, uint64_t now_us);

/// A source of events, live until destroyed. It may be destroyed by its own callback, or after its loop.
class EventSource {
 public:
  explicit EventSource(sd_event_source* source) : source_(source) {}

 private:
  struct Release {
    void operator()(sd_event_source* source) const { sd_event_source_disable_unref(source); }
  };
  std::unique_ptr<sd_event_source, Release> source_;
};

class EventLoop {
 public:
  /// A callback that throws ends the loop: run() returns what it threw.
  using Callback = std::function<void()>;

  static Result<EventLoop> create();

  /// `signal` is one of those that block_signals() blocks.
  Result<EventSource> on_signal(int signal, Callback callback);

  /// First one `interval` from now. Up to a tenth of the interval late, so that wake-ups can be shared.
  Result<EventSource> every(std::chrono::microseconds interval, Callback callback);

  /// Once per turn of the loop in which nothing else is waiting, until destroyed: for long work in bites.
  Result<EventSource> when_idle(Callback callback);

  /// Once, `delay` from now, and up to a tenth of it late.
  Result<EventSource> after(std::chrono::microseconds delay, Callback callback);

  /// While `fd` is readable, or has an error that reading it would tell. The caller keeps `fd` open. A pidfd
  /// is readable once its process has ended.
  Result<EventSource> on_readable(int fd, Callback callback);

  /// While `fd` takes more bytes, or has an error that writing to it would tell. The caller keeps `fd` open.
  Result<EventSource> on_writable(int fd, Callback callback);

  /// When both directions of the connection `fd` are closed, whatever of it was not read.
  Result<EventSource> on_hangup(int fd, Callback callback);

  /// Makes run() return `exit_code` once the callback that is running returns.
  void stop(int exit_code = 0);

  /// Once per loop.
  Result<int> run();

  sd_event* handle() const { return event_.get(); }

 private:
  struct Release {
    void operator()(sd_event* event) const { sd_event_unref(event); }
  };

  explicit EventLoop(sd_event* event) : event_(event) {}
  Result<EventSource> on_ready(int fd, uint32_t events, Callback callback);

  std::unique_ptr<sd_event, Release> event_;
  std::shared_ptr<std::string> thrown_ = std::make_shared<std::string>();  // by a callback; "" if none did
};

}  // namespace xdpflowd
