// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"

namespace xdpflowd {

struct TableCount {
  uint64_t elements = 0;  // ended ones that were not reaped yet included
  uint64_t former = 0;    // of these, in the table that a resize has replaced
  bool fresh = true;      // counted during this call
};

/// Runs the pinned census program.
class CensusClient {
 public:
  /// `program` must stay open; -1: there is none.
  explicit CensusClient(int program) : program_(program) {}

  /// Of the tables with this index (zone * XF_TABLES + table). nullopt: this kernel cannot tell.
  Result<std::optional<TableCount>> count(uint32_t index) const;

  /// From now on packets learn when their half-open table is full, as long as the map `crowds` lives.
  Status watch() const;

 private:
  int program_;
};

}  // namespace xdpflowd
