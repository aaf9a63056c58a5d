// SPDX-License-Identifier: GPL-2.0-or-later
// The zones and their flow tables.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "dataplane/plan.h"
#include "dataplane/table_maker.h"
#include "settings/settings.h"

struct bpf_object;

namespace xdpflowd {

/// Gives every zone its index and its two tables, made and pinned, or opened where they are pinned already.
/// A table that is there keeps its size. `owner` is the loaded admin object: its maps.
Result<ZoneIndexes> make_zones(const bpf_object* owner, const FlowTypes& types, const std::string& state_dir,
                               const std::vector<ZoneSettings>& configured);

}  // namespace xdpflowd
