// SPDX-License-Identifier: GPL-2.0-or-later
// Something drawn again and again.
#pragma once

#include <chrono>
#include <functional>
#include <ostream>

#include "base/result.h"

namespace xdpflowd {

/// What stands between one picture and the next.
enum class Redraw { clears_screen, after_blank_line, next_line };

/// Draws once per `pause` until SIGINT, SIGTERM, a reader that is gone, or an error of `draw`, which is
/// returned. The caller's thread must be the only one.
Status watch(std::ostream& out, Redraw redraw, std::chrono::milliseconds pause,
             const std::function<Status()>& draw);

}  // namespace xdpflowd
