// SPDX-License-Identifier: GPL-2.0-or-later
// What the data plane counted, as Prometheus metrics. Pure: facts in, text out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dataplane/snapshot.h"

namespace xdpflowd {

struct BuildInfo {
  std::string version;
  std::string kernel;  // release, as uname -r prints it
};

/// What became of the on_change programs.
struct HookRuns {
  uint64_t ok = 0;
  uint64_t failed = 0;  // ended with another exit code than 0, or by a signal
  uint64_t timeout = 0;
  uint64_t not_started = 0;
  uint64_t superseded = 0;  // a newer state came before its turn
};

/// The text that Prometheus scrapes. `now_ns` is monotonic. `unwritten_records` is what the records file has
/// lost; none without such a file. `hooks`: none where no program is configured.
std::string metrics_text(const Snapshot& snapshot, const BuildInfo& build, uint64_t now_ns,
                         std::optional<uint64_t> unwritten_records = std::nullopt,
                         const std::optional<HookRuns>& hooks = std::nullopt);

}  // namespace xdpflowd
