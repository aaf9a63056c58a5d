// SPDX-License-Identifier: GPL-2.0-or-later
// What the data plane counted, as Prometheus metrics. Pure: facts in, metrics out.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/snapshot.h"

namespace xdpflowd {

struct BuildInfo {
  std::string version;
  std::string kernel;  // release, as uname -r prints it
};

/// `now_ns` is monotonic. `unwritten_records` is what the records file has lost; none without such a file.
std::vector<prometheus::MetricFamily> collect(const Snapshot& snapshot, const BuildInfo& build,
                                              uint64_t now_ns,
                                              std::optional<uint64_t> unwritten_records = std::nullopt);

/// The text that Prometheus scrapes.
std::string metrics_text(const std::vector<prometheus::MetricFamily>& families);

}  // namespace xdpflowd
