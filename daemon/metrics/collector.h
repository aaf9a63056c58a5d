// SPDX-License-Identifier: GPL-2.0-or-later
// What the data plane counted, as Prometheus metrics. Pure: facts in, text out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/snapshot.h"
#include "flow/target.h"

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

/// What only the daemon knows, or has at hand.
struct DaemonFacts {
  std::vector<const Target*> targets;
  TargetHistograms target_rtts;
  std::optional<uint64_t> unwritten_records = {};  // that the records file has lost; none without such a file
  std::optional<HookRuns> hooks = {};              // none where no program is configured
};

/// The text that Prometheus scrapes. `now_ns` is monotonic. Of the snapshot's own targets nothing is shown.
std::string metrics_text(const Snapshot& snapshot, const DaemonFacts& facts, const BuildInfo& build,
                         uint64_t now_ns);

}  // namespace xdpflowd
