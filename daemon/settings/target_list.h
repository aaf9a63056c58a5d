// SPDX-License-Identifier: GPL-2.0-or-later
// The [[target]] tables: what each says, and what they must agree on.
#pragma once

#include <vector>

#include "settings/targets.h"
#include "settings/toml_reader.h"

namespace xdpflowd {

/// In the order of the file: at most targets_max, no name twice; those that share a probe want the same of
/// it.
Result<std::vector<TargetSettings>> read_targets(const TomlValue& value);

}  // namespace xdpflowd
