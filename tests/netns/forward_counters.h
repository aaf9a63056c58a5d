// SPDX-License-Identifier: GPL-2.0-or-later
// What the router's own stack forwards, counted by nftables: the judge of our counters.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "support/netns.h"

namespace xdpflowd::test {

struct Counted {
  uint64_t packets = 0;
  uint64_t bytes = 0;  // layer 3

  bool operator==(const Counted&) const = default;
};

class ForwardCounters {
 public:
  /// Name of a counter -> what it counts, as nft has it: "tcp dport 80".
  ForwardCounters(const Netns& router, const std::map<std::string, std::string>& matches);

  Counted read(const std::string& name) const;

 private:
  const Netns& router_;
};

}  // namespace xdpflowd::test
