// SPDX-License-Identifier: GPL-2.0-or-later
// The way out, also from a state that this version does not understand.
#pragma once

#include <string>

#include "base/result.h"

namespace xdpflowd {

/// Detaches our programs and removes everything under `state_dir`. Refused under a running daemon unless
/// `force`. Where nothing is loaded there is nothing to do.
Status unload(const std::string& state_dir, bool force);

/// Detaches our programs and removes what is below `state_dir`, but not the folder: for who holds its lock.
Status clear_state(const std::string& state_dir);

}  // namespace xdpflowd
