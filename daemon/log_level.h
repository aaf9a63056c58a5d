// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "settings/settings.h"

namespace xdpflowd {

/// Log from this level on. May be called again, to change it.
void start_log(LogLevel level);

}  // namespace xdpflowd
