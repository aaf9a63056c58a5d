// SPDX-License-Identifier: GPL-2.0-or-later
// All that the data plane counts, read once and summed over the CPUs. Pure data: no libbpf type appears here.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "flow/target.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

struct TableSnapshot {
  uint64_t capacity = 0;            // elements
  uint64_t evicted = 0;             // from the ledger
  std::optional<uint64_t> counted;  // the kernel's number of elements, ended but not yet reaped ones included
  uint64_t former = 0;              // of these, still in the table that a resize has replaced
  /// Created + moved in - moved out - ended - counted, each read when it makes the result too low rather than
  /// too high. Only together with a count of this moment.
  std::optional<int64_t> eviction_estimate;
};

struct ZoneSnapshot {
  unsigned index = 0;
  std::string name;
  uint32_t promote_packets = 0;
  xf_zone_stats stats{};
  std::array<TableSnapshot, XF_TABLES> tables;  // by enum xf_table
};

struct InterfaceSnapshot {
  std::string name;
  uint32_t ifindex = 0;
  xf_mode mode = XF_MODE_DETACHED;
  bool dispatcher = false;
  std::string zone;  // of untagged frames; "" if only some of its VLANs have one
  xf_interface_stats stats{};
};

struct Snapshot {
  xf_control control{};
  std::vector<ZoneSnapshot> zones;
  std::vector<InterfaceSnapshot> interfaces;
  xf_global_stats global{};
  std::array<xf_histogram, XF_HISTOGRAMS> histograms{};
  std::vector<Target> targets;
};

/// `flows` of the metrics: created + moved in - moved out - ended - evicted. Never negative.
uint64_t flows_by_the_books(const ZoneSnapshot& zone, xf_table table);

/// Live flows without a timer of their own: at most those that wait for the reaper's sweep, whose queue keeps
/// evicted ones for a while.
uint64_t orphans(const ZoneSnapshot& zone);

}  // namespace xdpflowd
