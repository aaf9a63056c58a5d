// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "base/result.h"

namespace xdpflowd {

/// Makes `state_dir` (0700) on a BPF file system, mounting /sys/fs/bpf if `state_dir` is below it and it is
/// not mounted.
Status ensure_bpffs(const std::string& state_dir);

/// Refuses what is no folder of its own below the root of a BPF file system: removing it would remove other
/// people's pins.
Status check_own_folder(const std::string& state_dir);

}  // namespace xdpflowd
