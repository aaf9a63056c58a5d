// SPDX-License-Identifier: GPL-2.0-or-later
// The pins of a data plane with another layout, set aside in a folder below state_dir. Each step may be the
// last one before a kill: what is in the folder says how to go on.
#pragma once

#include <string>

#include "base/result.h"

namespace xdpflowd {

enum class Aside {
  nothing,
  some,  // a move that was cut short, in either direction
  all,
};

/// What is in the folder. The remains of a removal that was cut short are removed first.
Result<Aside> look_aside(const std::string& state_dir);

/// Everything into the folder. What is pinned stays pinned all the time, so timers go on.
Status set_aside(const std::string& state_dir);

/// All of it back, after the pins that a failed start has made were removed.
Status put_back(const std::string& state_dir);

/// Removes the pins under state_dir, but not what was set aside.
Status clear_beside(const std::string& state_dir);

/// The end of a former layout: the kernel frees what was pinned.
Status drop_aside(const std::string& state_dir);

}  // namespace xdpflowd
