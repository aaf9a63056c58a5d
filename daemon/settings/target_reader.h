// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <vector>

#include "settings/targets.h"
#include "settings/toml_reader.h"

namespace xdpflowd {

/// One [[target]] after the other: what its keys say, then whether that goes together.
class TargetReader {
 public:
  TargetReader();
  TargetReader(const TargetReader&) = delete;  // the keys write into this one
  TargetReader& operator=(const TargetReader&) = delete;

  Result<TargetSettings> read(const TomlTable& table);

 private:
  void fill_in_defaults(const TomlTable& table);

  TargetSettings target_;
  std::vector<TomlKey> keys_;  // made once, for there may be 100 000 targets
};

}  // namespace xdpflowd
