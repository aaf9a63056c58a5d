// SPDX-License-Identifier: GPL-2.0-or-later
// What the service manager is told: readiness, reloads, a line of status, signs of life.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"

namespace xdpflowd {

/// Speaks sd_notify(3) to $NOTIFY_SOCKET. Without one, as when started by hand, it says nothing; a manager
/// that does not listen is not waited for and is no error.
class Notifier {
 public:
  using Clock = std::function<uint64_t()>;  // nanoseconds, CLOCK_MONOTONIC

  explicit Notifier(Clock now_ns = monotonic_ns) : now_ns_(std::move(now_ns)) {}

  void ready() const;
  /// To be followed by ready().
  void reloading() const;
  void stopping() const;

  /// The line that `systemctl status` shows. Only when it is another one, and at most every five seconds; a
  /// later call makes up for one that came too early.
  void status(const std::string& line);

  void alive() const;

  /// How often to say alive(): a third of the time after which the manager gives us up, so that one late
  /// turn of the loop is forgiven. Nothing if it does not watch us.
  static std::optional<std::chrono::microseconds> alive_interval();

 private:
  Clock now_ns_;
  std::string line_;
  std::optional<uint64_t> told_ns_;  // when line_ was sent
};

}  // namespace xdpflowd
