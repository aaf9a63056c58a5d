// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>

namespace xdpflowd {

/// Whether stdout is one.
bool is_terminal();

/// 0 where stdout is no terminal: lines are then as long as they must be.
size_t terminal_width();

}  // namespace xdpflowd
