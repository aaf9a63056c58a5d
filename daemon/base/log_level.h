// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace xdpflowd {

enum class LogLevel { trace, debug, info, warn, error };

}  // namespace xdpflowd
