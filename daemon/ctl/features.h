// SPDX-License-Identifier: GPL-2.0-or-later
// What `xdpflowctl features` says: what this kernel and these devices allow, before anything is attached.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "dataplane/kernel.h"

namespace xdpflowd {

struct InterfaceFeatures {
  std::string name;
  std::string kind;    // as in Link
  std::string driver;  // "" if it does not tell
  uint32_t mtu = 0;
  bool rx_vlan_offload = false;      // hides VLAN tags from XDP
  std::optional<bool> native_xdp;    // nullopt: not known before it is tried
  std::optional<bool> multi_buffer;  // native also above an MTU of about 3500
};

struct FeatureReport {
  std::string version;
  std::string kernel;
  std::vector<Feature> features;
  std::vector<InterfaceFeatures> interfaces;
};

std::string features_json(const FeatureReport& report);
/// `width` of the terminal, 0 if there is none.
void write_features_text(std::ostream& out, const FeatureReport& report, size_t width);

}  // namespace xdpflowd
