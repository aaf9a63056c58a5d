// SPDX-License-Identifier: GPL-2.0-or-later
// The [[interface]] tables: what each says, then what they must agree on.
#pragma once

#include <optional>
#include <vector>

#include "settings/settings.h"
#include "settings/toml_reader.h"

namespace xdpflowd {

struct InterfaceEntry {
  InterfaceSettings wanted;
  std::optional<AttachMode> mode;  // as written: an entry without one follows the others of its name
  TomlTable table;
};

Result<std::vector<InterfaceEntry>> read_interfaces(const TomlValue& value);

/// At least one, every zone exists, no (name, VLAN) twice, one mode for each name.
Result<std::vector<InterfaceSettings>> settle_interfaces(std::vector<InterfaceEntry> entries,
                                                         const std::vector<ZoneSettings>& zones,
                                                         const FilePlace& start_of_file);

}  // namespace xdpflowd
