// SPDX-License-Identifier: GPL-2.0-or-later
// Which flows the operator means.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "flow/decode.h"

namespace xdpflowd {

/// A prefix of one address family: 0.0.0.0/0 is all of IPv4 and ::/0 all of IPv6, neither is both.
class Cidr {
 public:
  /// "192.0.2.0/24", "2001:db8::/32", or a single address.
  static Result<Cidr> parse(std::string_view text);

  bool contains(const xf_addr& address) const;

 private:
  xf_addr base_{};
  unsigned length_ = 0;  // bits of the IPv6 form: an IPv4 /24 is 120
};

/// The filters as they were typed.
struct FilterText {
  std::optional<std::string> zone{}, protocol{}, source{}, destination{}, port{}, state{}, table{};
};

/// What is not set matches everything.
struct FlowFilter {
  static Result<FlowFilter> parse(const FilterText& text);

  bool matches(const Flow& flow) const;
  bool matches_all() const;
  /// All flows of the tables it names, or none of them: no flow need be looked at.
  bool matches_whole_tables() const;

  /// An error that names the zones there are, if the filter wants another one.
  Status check_zone(const std::vector<std::string_view>& zones) const;

  std::optional<std::string> zone;
  std::optional<uint8_t> protocol;
  std::optional<Cidr> source, destination;
  std::optional<uint16_t> port;  // of either end
  std::optional<xf_state> state;
  std::optional<xf_table> table;
};

}  // namespace xdpflowd
