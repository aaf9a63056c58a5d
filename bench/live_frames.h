// SPDX-License-Identifier: GPL-2.0-or-later
// Packets at full speed through real devices, and what counts those that arrive. Throws std::runtime_error.
#pragma once

#include <cstdint>
#include <string>

#include "live_job.h"
#include "results.h"
#include "support/netns.h"
#include "support/packet_builder.h"
#include "support/tracker.h"

// The skeleton names a type of the contract without including it.
#include "live.skel.h"

namespace xdpflowd::bench {

/// TCP segments over IPv4 that differ in one address, which is 10.0.0.0 + the number of their flow.
struct Traffic {
  test::Packet packet;   ///< with 10.0.0.0 as that address
  bool reverse = false;  ///< that address is the destination
  uint32_t flows = 1;
  uint32_t first = 0;
  bool random = true;    ///< any of the flows; false: one after the other
  bool scatter = false;  ///< the source's port is random too
  /// Each n-th packet is this one, of a flow that never was; 0: none is.
  uint32_t fresh_every = 0;
  test::Packet fresh_packet = packet;
};

struct Device {
  const test::Netns& netns;
  std::string name;
  test::Bytes next_hop = {};  ///< the MAC address that packets are sent to
};

class LiveFrames {
 public:
  LiveFrames();

  /// What arrives at this device from or for 10.0.0.0/8 is counted, and ends there.
  void sink(const Device& device) const;
  /// SYNs from 10.0.0.0/8 that arrive at this device are answered there.
  void answer(const Device& device) const;
  /// Sends from a device, on the CPU of the caller; how many arrived.
  uint64_t send(const Device& from, const Traffic& traffic, uint32_t packets);
  /// The same in slices of some milliseconds; packets per second that arrived, the median of `slices`. Time
  /// during which the CPU was somebody else's does not count.
  double rate(const Device& from, const Traffic& traffic, int slices);
  int empty_program() const { return bpf_program__fd(live_->progs.nothing); }

 private:
  void prepare(const Device& from, const Traffic& traffic);
  void run(uint32_t ifindex, uint32_t packets) const;
  uint64_t arrived() const;
  double slice(uint32_t ifindex) const;

  test::Skeleton<live_bpf> live_{nullptr, live_bpf__destroy};
  test::Netns warm_;  ///< where `send` is attached, see LiveFrames()
  uint32_t fresh_ = 1U << 23;
};

/// Attaches a program natively to a device; -1: none.
void attach_xdp(const Device& device, int program);

}  // namespace xdpflowd::bench
