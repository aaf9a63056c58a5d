// SPDX-License-Identifier: GPL-2.0-or-later
#include "service/notify.h"

#include <systemd/sd-daemon.h>

#include <algorithm>

namespace xdpflowd {
namespace {

constexpr uint64_t status_interval_ns = 5'000'000'000;

void tell(const std::string& state) {
  sd_notify(0, state.c_str());
}

}  // namespace

void Notifier::ready() const {
  tell("READY=1");
}

void Notifier::reloading() const {
  // The time lets a manager tell this reload from an earlier one whose message is still under way.
  tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now_ns_() / 1000));
}

void Notifier::stopping() const {
  tell("STOPPING=1");
}

void Notifier::status(const std::string& line) {
  if (line == line_) return;
  const auto now = now_ns_();
  if (told_ns_ && now - *told_ns_ < status_interval_ns) return;
  std::string shown = line;
  std::ranges::replace(shown, '\n', ' ');  // it would begin another assignment
  tell("STATUS=" + shown);
  line_ = line;
  told_ns_ = now;
}

void Notifier::alive() const {
  tell("WATCHDOG=1");
}

std::optional<std::chrono::microseconds> Notifier::alive_interval() {
  uint64_t limit_us = 0;
  if (sd_watchdog_enabled(0, &limit_us) <= 0) return std::nullopt;
  return std::chrono::microseconds(std::max<uint64_t>(limit_us / 3, 1));
}

}  // namespace xdpflowd
