// SPDX-License-Identifier: GPL-2.0-or-later
// How many elements a flow table has.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/result.h"
#include "dataplane/census_client.h"
#include "dataplane/pinned_state.h"

namespace xdpflowd {

/// Asks the kernel where it can tell (6.6 and later), else walks the table if that is allowed.
class TableCounter {
 public:
  enum class Walk {
    never,    // for tools: no count where the kernel cannot tell
    allowed,  // for the daemon, once a minute: between walks the last count is given, marked as not fresh
  };

  explicit TableCounter(Walk walk) : walk_(walk) {}

  /// nullopt: not known. `now_ns` is monotonic.
  Result<std::optional<TableCount>> count(const PinnedState& state, const PinnedZone& zone, xf_table table,
                                          uint64_t now_ns);

 private:
  struct Walked {
    TableCount count;
    uint64_t at_ns;
  };

  Walk walk_;
  std::array<std::array<std::optional<Walked>, XF_TABLES>, XF_ZONES_MAX> walked_;
};

}  // namespace xdpflowd
