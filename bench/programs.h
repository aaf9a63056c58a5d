// SPDX-License-Identifier: GPL-2.0-or-later
// xdpflow and what it is compared with, behind `spread`; the frames that they are run on.
#pragma once

#include <cstdint>
#include <string>

#include "spread_job.h"
#include "support/tracker.h"

// The skeletons name types of the contract without including it.
#include "floor.skel.h"
#include "rearming.skel.h"

namespace xdpflowd::bench {

/// As in the program array.
enum Target : uint32_t {
  nothing,
  parse_only,
  track_floor,
  track_timed,
  xdpflow,
  rearming,
  insert_plain,
  insert_armed,
  targets
};

/// A frame, and where in it is the part of an address that tells flows apart.
struct Template {
  test::Bytes frame;
  uint32_t address_offset;
};

Template source_varied(const test::Packet& packet);
Template destination_varied(const test::Packet& packet);

/// Which flows, in what order, how many packets.
struct Load {
  uint32_t packets;
  uint32_t flows;
  bool random = true;
  uint32_t first = 0;
};

struct Sizes {
  uint32_t flows;      ///< of the established table, and of those beside it
  uint32_t new_flows;  ///< of the half-open table, and of those beside it
};

/// Throws std::runtime_error where something cannot be measured.
class Programs {
 public:
  explicit Programs(const Sizes& sizes);

  /// Nanoseconds per packet on the CPU that the caller is bound to, `spread` included.
  double run(Target target, const Template& packet, const Load& load) const;
  /// The empty program, without `spread`.
  double run_empty(const Template& packet, uint32_t packets) const;
  /// Handshakes of connections number `first` to `first + count`, all of them promoted, and the same flows in
  /// the floor's tables.
  void establish(uint32_t first, uint32_t count) const;
  const test::Tracker& tracker() const { return tracker_; }

 private:
  void load_floor(const Sizes& sizes);
  void load_rearming();
  void attach() const;
  void put(Target target, int program) const;

  test::Tracker tracker_;
  test::Skeleton<floor_bpf> floor_{nullptr, floor_bpf__destroy};
  test::Skeleton<rearming_bpf> rearming_{nullptr, rearming_bpf__destroy};
};

/// Data of the established connections.
test::Packet segment();
test::Packet data();

void bind_to(unsigned cpu);
/// Whether `bytes` of memory are there to be had.
bool has_room(uint64_t bytes);

}  // namespace xdpflowd::bench
