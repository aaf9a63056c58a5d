// SPDX-License-Identifier: GPL-2.0-or-later
// The answer to `xdpflowctl status`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "dataplane/snapshot.h"

namespace xdpflowd {

struct DaemonState {
  bool running = false;
  std::optional<uint32_t> pid;
};

/// An upgrade that is not over: timers still hold the program before.
struct UpgradeState {
  uint32_t former_generation = 0;
  uint32_t former_program = 0;  // id
  uint64_t flows = 0;           // whose timers run another generation's callback
};

struct StatusReport {
  Snapshot snapshot;
  DaemonState daemon;
  std::string version;  // of this program
  std::string kernel;   // release
  uint64_t now_ns = 0;  // CLOCK_MONOTONIC
  std::optional<UpgradeState> upgrade = {};

  /// nullopt: no daemon ever wrote one.
  std::optional<int64_t> heartbeat_age_ns() const;
  /// Its process is there, but its main loop does not run.
  bool daemon_stalled() const;
  /// Of the daemon that loaded the programs.
  std::string data_plane_version() const;
};

uint64_t total_packets(const InterfaceSnapshot& interface);

/// `width` of the terminal; 0: lines as long as it takes.
void write_status_text(std::ostream& out, const StatusReport& report, size_t width);

/// One JSON document.
std::string status_json(const StatusReport& report);

}  // namespace xdpflowd
