// SPDX-License-Identifier: GPL-2.0-or-later
// Live resize: a new table takes the place of one, and the flows move over, by their packets or from here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dataplane/admin_client.h"
#include "dataplane/flow_reader.h"
#include "dataplane/pinned_state.h"
#include "dataplane/table_maker.h"
#include "dataplane/table_swap.h"
#include "settings/settings.h"

namespace xdpflowd {

class Resizer {
 public:
  /// What became of a step.
  enum class Progress {
    working,  // another step now
    waiting,  // for what cannot be moved, such as flows that have ended and are not reaped yet: another step
              // in a second
    done,
  };

  /// Both must outlive it. `state` is reopened when its tables change.
  Resizer(PinnedState& state, const FlowTypes& types) : state_(state), types_(types), admin_(state) {}

  /// Puts a table of this size in place, for step() to fill. One that is being resized just now gets its new
  /// size after that. An error leaves everything as it was.
  Status resize(const std::string& zone, xf_table table, uint32_t size);

  /// A bite of a few milliseconds.
  Result<Progress> step();

 private:
  struct Wanted {
    std::string zone;
    xf_table table;
    uint32_t size;
  };

  const PinnedZone* find(const std::string& zone) const;
  TablePlace place_in(const PinnedZone& zone, xf_table table) const;
  Status exchange(const PinnedZone& zone, xf_table table, uint32_t size);
  Status note_size(const PinnedZone& zone, xf_table table, uint32_t size) const;
  Status start_next();
  Result<Progress> drain(const PinnedZone& zone, xf_table table);
  Result<Progress> finish_round(const PinnedZone& zone, xf_table table);

  PinnedState& state_;
  const FlowTypes& types_;
  AdminClient admin_;
  std::vector<Wanted> later_;
  FlowWalk walk_;
  uint64_t met_ = 0;    // in this walk through the former table
  uint64_t moved_ = 0;  // from it since the swap
  uint64_t moved_in_round_ = 0;
  uint64_t began_ns_ = 0;
};

}  // namespace xdpflowd
