// SPDX-License-Identifier: GPL-2.0-or-later
// A health target, as the pinned maps have it. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "xdpflow/abi.h"

namespace xdpflowd {

struct Target {
  uint32_t index = 0;  // in the maps, from 1
  xf_target_config config{};
  xf_target state{};
};

/// Round trip times by target index, of those for which the configuration wants them.
using TargetHistograms = std::map<uint32_t, xf_histogram>;

/// enum xf_cause in words that a person reads: "timeout", "connection refused", "ICMP host unreachable".
/// `ipv4`: whose ICMP types and codes they are. XF_CAUSE_NONE: "".
std::string cause_text(unsigned cause, unsigned icmp_type, unsigned icmp_code, bool ipv4);

}  // namespace xdpflowd
