// SPDX-License-Identifier: GPL-2.0-or-later
// What the operator wants: the configuration file after validation, with defaults filled in.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log_level.h"
#include "settings/targets.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

enum class DispatcherPolicy { automatic, require, off };
enum class AttachMode { automatic, native, generic };

struct DaemonSettings {
  LogLevel log_level = LogLevel::info;
  std::string state_dir = "/sys/fs/bpf/xdpflowd";
  DispatcherPolicy dispatcher = DispatcherPolicy::automatic;

  bool operator==(const DaemonSettings&) const = default;
};

struct MetricsSettings {
  std::string listen = "127.0.0.1:9742";  // "" turns it off; IPv6 as [::1]:9742
  bool per_target_histograms = false;

  bool operator==(const MetricsSettings&) const = default;
};

struct RecordsSettings {
  std::string file;  // "" turns records off

  bool operator==(const RecordsSettings&) const = default;
};

struct ZoneSettings {
  std::string name;
  uint32_t max_flows = 0;  // established table; default_max_flows() unless set
  uint32_t max_half_open = 131'072;
  uint32_t promote_packets = 16;

  bool operator==(const ZoneSettings&) const = default;
};

struct InterfaceSettings {
  std::string name;              // of a device, or a pattern: is_pattern()
  std::optional<uint16_t> vlan;  // set: this entry gives one outer VLAN of the interface a zone of its own
  std::string zone = "default";
  AttachMode mode = AttachMode::automatic;

  bool operator==(const InterfaceSettings&) const = default;
};

/// Whether a name means all devices that match it, as file names in a shell do.
bool is_pattern(std::string_view name);

/// Indexed by enum xf_timeout.
using Timeouts = std::array<std::chrono::nanoseconds, XF_TIMEOUTS>;
Timeouts default_timeouts();

struct Settings {
  DaemonSettings daemon;
  MetricsSettings metrics;
  RecordsSettings records;
  std::vector<ZoneSettings> zones;  // in the order of the file; at least one
  std::vector<InterfaceSettings> interfaces;
  Timeouts timeouts = default_timeouts();
  HealthSettings health;
  std::vector<TargetSettings> targets;
  std::vector<std::string> warnings;  // allowed but odd, one line each, with file:line:column

  bool operator==(const Settings&) const = default;
};

/// Size of an established table for which the file gives none: one flow per 16 KiB of RAM, 65 536 to 1 000
/// 000.
uint32_t default_max_flows(uint64_t ram_bytes);

uint64_t installed_ram_bytes();

/// CPUs that may ever come online: the kernel spreads the free elements of an LRU table over all of them.
unsigned possible_cpus();

}  // namespace xdpflowd
