// SPDX-License-Identifier: GPL-2.0-or-later
// The steps of DataPlane::start(), in their order.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dataplane/carry_over.h"
#include "dataplane/data_plane.h"
#include "dataplane/kernel.h"
#include "dataplane/loader.h"
#include "dataplane/look_back.h"
#include "dataplane/takeover.h"

namespace xdpflowd {

class Starter {
 public:
  Starter(const Settings& settings, const std::vector<InterfaceSettings>& devices, std::string version)
      : settings_(settings),
        devices_(devices),
        state_dir_(settings.daemon.state_dir),
        version_(std::move(version)) {}

  Result<DataPlane> run();

 private:
  Status prepare();
  Status choose_generation();
  Status load_tables();
  Status load_programs();
  Status load_tools();
  Status open_state();
  Status configure();
  Status start_reaper();
  Status attach();
  Result<PacketProgram> packet_program() const;
  Status retire_former();
  Status hand_over();
  Generation generation() const;
  Status settle_interfaces(uint32_t program);
  InterfaceOutcome outcome_at(unsigned index) const;
  Status write_control(uint32_t incoming = 0);
  Status carry_over();
  void clean_up() const;
  std::vector<unsigned> present_interfaces() const;

  const Settings& settings_;
  const std::vector<InterfaceSettings>& devices_;
  const std::string state_dir_;
  const std::string version_;

  KernelFeatures kernel_;
  std::optional<StateLock> lock_;
  Past past_;
  xf_control before_{};  // all zero: a first start
  std::optional<CarryOver> carry_;
  std::vector<ZoneSettings>
      zone_settings_;    // those of a former layout that are no longer configured included
  uint32_t active_ = 0;  // id of the program that runs already
  uint32_t generation_ = 0;
  std::optional<unsigned> running_at_;  // an interface whose running program is kept
  BpfObject maps_;
  FlowTypes flow_types_;
  ZoneIndexes zones_;
  std::optional<PinnedState> state_;
  std::optional<PacketProgram> program_;
  std::vector<Hook> hooks_;
  std::vector<InterfaceOutcome> outcomes_;
};

}  // namespace xdpflowd
