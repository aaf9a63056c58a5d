// SPDX-License-Identifier: GPL-2.0-or-later
// The zones and their flow tables.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "dataplane/plan.h"
#include "dataplane/table_maker.h"
#include "settings/settings.h"

namespace xdpflowd {

/// Descriptors of somebody else.
struct ZoneMaps {
  int zones = -1, tables = -1, former_tables = -1;
};

/// Gives every zone its index and its two tables, made and pinned, or opened where they are pinned already.
/// A table that is there keeps its size.
Result<ZoneIndexes> make_zones(const ZoneMaps& maps, const FlowTypes& types, const std::string& state_dir,
                               const std::vector<ZoneSettings>& configured);

/// Those that have flows no configured zone owns.
void report_leftover_zones(const ZoneMaps& maps, const ZoneIndexes& configured);

}  // namespace xdpflowd
