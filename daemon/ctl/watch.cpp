// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/watch.h"

#include <signal.h>
#include <time.h>

#include <cerrno>

namespace xdpflowd {
namespace {

constexpr const char* home_and_clear = "\x1b[H\x1b[2J";

/// SIGINT and SIGTERM wait to be asked for: none cuts a line of JSON in two.
class Interruption {
 public:
  Interruption() {
    sigemptyset(&ends_);
    sigaddset(&ends_, SIGINT);
    sigaddset(&ends_, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends_, &before_);
  }
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;
  ~Interruption() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

  bool comes_within(std::chrono::milliseconds time) const {
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(time);
    timespec left{};
    left.tv_sec = whole.count();
    left.tv_nsec = std::chrono::nanoseconds(time - whole).count();
    return sigtimedwait(&ends_, nullptr, &left) > 0;
  }

 private:
  sigset_t ends_{}, before_{};
};

}  // namespace

Status watch(std::ostream& out, Redraw redraw, std::chrono::milliseconds pause,
             const std::function<Status()>& draw) {
  const Interruption interruption;
  for (bool first = true;; first = false) {
    if (redraw == Redraw::clears_screen) out << home_and_clear;
    if (redraw == Redraw::after_blank_line && !first) out << '\n';
    if (auto drawn = draw(); !drawn) return drawn;
    out.flush();
    if (!out || interruption.comes_within(pause)) return ok();
  }
}

}  // namespace xdpflowd
