// SPDX-License-Identifier: GPL-2.0-or-later
// Sends the probes that are due, many at once: built by the probe program, sent by us, judged in the kernel.
#pragma once

#include <cstdint>
#include <cstring>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "dataplane/probe_client.h"
#include "health/packet_sender.h"
#include "service/routes.h"

namespace xdpflowd {

class Prober {
 public:
  /// `routes` must outlive it.
  Prober(ProbeClient client, const Routes& routes) : client_(std::move(client)), routes_(routes) {}

  /// Before the first probe.
  Status open_sender() { return sender_.open(); }

  /// `observed`: devices on which a reply is seen by the packet program. `cut_off`: those without a carrier.
  void set_devices(std::set<uint32_t> observed, std::set<uint32_t> cut_off) {
    observed_ = std::move(observed);
    cut_off_ = std::move(cut_off);
  }

  /// Of these targets.
  Status probe(std::span<const uint32_t> indexes);

  struct Start {
    uint32_t index;
    uint64_t delay_ns;  // until the first probe, of a target that has none under way
  };
  /// Sets the targets' timers; those that the kernel had no memory for.
  Result<std::vector<uint32_t>> start(std::span<const Start> targets);

  /// Takes the timers away.
  Status stop(std::span<const uint32_t> indexes);

  /// Egress device and address.
  struct NextHop {
    uint32_t ifindex;
    xf_addr address;
    bool operator<(const NextHop& other) const { return std::memcmp(this, &other, sizeof other) < 0; }
  };
  /// Those since the last call.
  std::set<NextHop> take_next_hops() { return std::exchange(next_hops_, {}); }

 private:
  Status probe_batch(std::span<const uint32_t> indexes);
  void look_at(xf_probe_frame& frame);
  void resolve(xf_probe_frame& frame);

  ProbeClient client_;
  PacketSender sender_;
  const Routes& routes_;
  std::set<uint32_t> observed_, cut_off_;
  std::set<NextHop> next_hops_;
  std::set<NextHop> unanswered_;  // did not answer the kernel when they were asked last
};

}  // namespace xdpflowd
