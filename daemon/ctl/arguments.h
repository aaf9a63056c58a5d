// SPDX-License-Identifier: GPL-2.0-or-later
// The command line of xdpflowctl.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "ctl/flow_order.h"
#include "flow/filter.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

enum class Command { status, flows, flush, targets, set_target, features, unload };

struct Arguments {
  Command command = Command::status;
  std::string state_dir = "/sys/fs/bpf/xdpflowd";
  bool json = false;
  FlowFilter filter;              // flows, flush
  std::optional<SortBy> sort;     // flows
  std::optional<uint64_t> limit;  // flows: at least 1
  bool count = false;             // flows: only how many there are
  bool force = false;             // unload: under a running daemon
  bool watch = false;             // targets: again and again
  std::string target;             // set_target: its name ...
  xf_health health{};             // ... and what it is to be shown as; XF_HEALTH_UNKNOWN: as its probes say

  bool version = false;  // --version: `answer` is its first line
  std::string answer;    // not empty (--help, --version): print this, do nothing else, exit 0
};

/// `version` is what --version says. An error is one line, and of kind usage.
Result<Arguments> parse_arguments(int argc, const char* const* argv, const std::string& version);

}  // namespace xdpflowd
