// SPDX-License-Identifier: GPL-2.0-or-later
// The zones and their flow tables.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "dataplane/plan.h"
#include "settings/settings.h"

struct bpf_object;

namespace xdpflowd {

/// Gives every zone its index and its two tables, made and pinned, or opened where they are pinned already.
/// `owner` is the loaded admin object: its maps, and the types of key and value.
Result<ZoneIndexes> make_zones(const bpf_object* owner, const std::string& state_dir,
                               const std::vector<ZoneSettings>& configured);

}  // namespace xdpflowd
