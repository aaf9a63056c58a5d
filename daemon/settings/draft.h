// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "settings/interfaces.h"
#include "settings/settings.h"
#include "settings/toml_reader.h"

namespace xdpflowd {

/// What the file says, section by section; finish() then looks at it as a whole.
class SettingsDraft {
 public:
  /// Every zone begins with the sizes that fit this machine.
  SettingsDraft(FilePlace start_of_file, uint64_t ram_bytes, unsigned cpus);

  Status read(const TomlTable& root);
  Result<Settings> finish();

 private:
  Status add_zones(const TomlValue& section);
  Status add_zone(const TomlValue& value);
  Status add_interfaces(const TomlValue& section);
  Status set_timeouts(const TomlValue& section);
  Status add_targets(const TomlValue& section);
  void warn_of_unused_zones();
  void warn_of_order(xf_timeout first, xf_timeout later);

  FilePlace start_;
  IntegerRange table_size_;
  ZoneSettings default_zone_;
  Settings settings_;
  std::vector<InterfaceEntry> entries_;
  std::vector<FilePlace> zone_places_;  // of settings_.zones; empty if the file has none
  std::optional<TomlTable> timeouts_;
  uint64_t flows_ = 0;  // in all tables
};

}  // namespace xdpflowd
