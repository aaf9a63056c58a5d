// SPDX-License-Identifier: GPL-2.0-or-later
// What tracks flows on the router of a lab, with tables of one size. Throws std::runtime_error.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "live_frames.h"
#include "support/netns.h"

namespace xdpflowd::bench {

/// By the client's port.
using BytesOf = std::map<uint16_t, uint64_t>;

class FloodPeer {
 public:
  FloodPeer() = default;
  virtual ~FloodPeer() = default;
  FloodPeer(const FloodPeer&) = delete;
  FloodPeer& operator=(const FloodPeer&) = delete;

  /// Of the established connections to Sessions::port that it knows: bytes since it does.
  virtual BytesOf bytes(const std::vector<uint16_t>& clients) const = 0;
  /// Throws if it could not work as it should.
  virtual void check() const {}
};

struct PeerKind {
  std::string name;
  std::unique_ptr<FloodPeer> (*make)(const test::Lab& lab, const LiveFrames& live, uint32_t size);
};

/// `without`: why some are not there, "" if all are.
std::vector<PeerKind> flood_peers(std::string& without);

/// As many flows as nf_conntrack may hold on this machine, or what it would by default.
uint32_t flood_table_size();

}  // namespace xdpflowd::bench
