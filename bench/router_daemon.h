// SPDX-License-Identifier: GPL-2.0-or-later
// xdpflowd on the router of a lab, attached to both of its devices. Throws std::runtime_error.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/unique_fd.h"
#include "support/netns.h"

namespace xdpflowd::bench {

struct TableSizes {
  uint32_t max_flows, max_half_open;
};

class RouterDaemon {
 public:
  /// Returns when it is ready.
  RouterDaemon(const test::Netns& router, const TableSizes& sizes);

  /// What it attaches.
  UniqueFd program() const;
  /// stdout of xdpflowctl, which must succeed.
  std::string ctl(const test::Argv& arguments) const;
  nlohmann::json flows(const test::Argv& filters) const;
  /// Nothing is measured with timers failing: throws if more than 1 % of the flows live without one, apart
  /// from those that began while the half-open table was full.
  void check_timers() const;

 private:
  const test::Netns& router_;
  test::Bpffs bpffs_;
  std::string config_;
  test::Undo config_made_;
  std::optional<test::Background> daemon_;
};

}  // namespace xdpflowd::bench
