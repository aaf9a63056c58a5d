// SPDX-License-Identifier: GPL-2.0-or-later
// A loaded data plane, as found under state_dir: all that works without the daemon starts here.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "dataplane/map_view.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

using FlowTable = Map<xf_flow_key, xf_flow>;

struct PinnedZone {
  unsigned index = 0;
  xf_zone zone{};
  std::array<FlowTable, XF_TABLES> tables;  // by enum xf_table
  /// During a resize: the table before, until its flows have moved out.
  std::array<std::optional<FlowTable>, XF_TABLES> former;
};

struct PinnedInterface {
  unsigned index = 0;
  xf_interface interface {};
};

/// `control.layout` of what is loaded under `state_dir`, readable whatever the layout is.
/// nullopt: nothing is loaded; 0: a load that was not finished.
Result<std::optional<uint64_t>> pinned_layout(const std::string& state_dir);

class PinnedState {
 public:
  /// Opens every pin. Refuses another layout, and pins that are not ours.
  static Result<PinnedState> open(const std::string& state_dir);
  /// After a zone or its tables changed.
  Status reopen_zones();
  /// Whether the tables opened then are still those in use: a resize may have replaced one.
  bool is_current() const;

  const std::string& state_dir() const { return state_dir_; }
  /// Zones as of open() or reopen_zones(), in the order of their index.
  const std::vector<PinnedZone>& zones() const { return zones_; }
  const PinnedZone* find_zone(unsigned index) const;
  /// Interfaces as they are now, in the order of their index; detached ones included.
  Result<std::vector<PinnedInterface>> read_interfaces() const;

  const ArrayMap<xf_control>& control() const { return control_; }
  const ArrayMap<xf_zone>& zone_table() const { return zone_table_; }
  const ArrayMap<xf_interface>& interfaces() const { return interfaces_; }
  const ArrayMap<xf_ledger>& ledger() const { return ledger_; }
  const ArrayMap<uint64_t>& timeouts() const { return timeouts_; }
  const ArrayMap<xf_reaper>& reaper() const { return reaper_; }
  const Map<xf_zone_rule_key, xf_zone_rule>& zone_rules() const { return zone_rules_; }
  const ArrayMap<xf_cached_rule>& rule_cache() const { return rule_cache_; }
  const PerCpuMap<xf_interface_stats>& interface_stats() const { return interface_stats_; }
  const PerCpuMap<xf_zone_stats>& zone_stats() const { return zone_stats_; }
  const PerCpuMap<xf_global_stats>& global_stats() const { return global_stats_; }
  const PerCpuMap<xf_histogram>& histograms() const { return histograms_; }
  /// Array of maps: zone * XF_TABLES + table -> flow table.
  const RawMap& tables() const { return tables_; }
  /// As tables(), for the time of a resize.
  const RawMap& former_tables() const { return former_tables_; }
  const RawMap& ended() const { return ended_; }
  const RawMap& orphans() const { return orphans_; }
  const RawMap& records() const { return records_; }
  const RawMap& events() const { return events_; }
  const Map<uint32_t, xf_target_config>& target_configs() const { return target_configs_; }
  const Map<uint32_t, xf_target>& targets() const { return targets_; }
  const Map<xf_probe_key, uint32_t>& probe_keys() const { return probe_keys_; }
  const Map<uint32_t, xf_histogram>& target_rtts() const { return target_rtts_; }
  const ArrayMap<xf_health_control>& health() const { return health_; }
  const ArrayMap<xf_probe_frame>& probe_frames() const { return probe_frames_; }
  const RawMap& due_probes() const { return due_probes_; }

  int admin_program() const { return admin_program_.get(); }
  int probe_program() const { return probe_program_.get(); }
  /// -1 where the kernel could not load it.
  int census_program() const { return census_program_.get(); }

 private:
  PinnedState() = default;
  Status open_maps();
  Status open_programs();
  Status open_tables(PinnedZone& zone, xf_table table) const;
  bool is_in_use(const PinnedZone& zone, xf_table table, const FlowTable& candidate) const;

  std::string state_dir_;
  std::vector<PinnedZone> zones_;
  ArrayMap<xf_control> control_;
  ArrayMap<xf_zone> zone_table_;
  ArrayMap<xf_interface> interfaces_;
  ArrayMap<xf_ledger> ledger_;
  ArrayMap<uint64_t> timeouts_;
  ArrayMap<xf_crowd> crowds_;
  ArrayMap<xf_reaper> reaper_;
  Map<xf_zone_rule_key, xf_zone_rule> zone_rules_;
  ArrayMap<xf_cached_rule> rule_cache_;
  PerCpuMap<xf_interface_stats> interface_stats_;
  PerCpuMap<xf_zone_stats> zone_stats_;
  PerCpuMap<xf_global_stats> global_stats_;
  PerCpuMap<xf_histogram> histograms_;
  RawMap tables_, former_tables_, ended_, orphans_, records_, events_;
  Map<uint32_t, xf_target_config> target_configs_;
  Map<uint32_t, xf_target> targets_;
  Map<xf_probe_key, uint32_t> probe_keys_;
  Map<uint32_t, xf_histogram> target_rtts_;
  ArrayMap<xf_health_control> health_;
  ArrayMap<xf_probe_frame> probe_frames_;
  RawMap due_probes_;
  UniqueFd admin_program_, census_program_, probe_program_;
};

}  // namespace xdpflowd
