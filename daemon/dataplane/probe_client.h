// SPDX-License-Identifier: GPL-2.0-or-later
// Runs of the pinned probe program, and the mapped elements by which it is asked and answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "dataplane/mapped_memory.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

class ProbeClient {
 public:
  /// Borrows `program`; `frames` is the map `probe_frames`. One process uses it at a time.
  static Result<ProbeClient> open(int program, int frames);

  /// XF_PROBE_BATCH elements.
  std::span<xf_probe_frame> frames() const {
    return {static_cast<xf_probe_frame*>(memory_.data()), static_cast<size_t>(XF_PROBE_BATCH)};
  }
  /// With the first `count` elements.
  Status run(xf_probe_op op, size_t count) const;

 private:
  ProbeClient(int program, MappedMemory memory) : program_(program), memory_(std::move(memory)) {}

  int program_;
  MappedMemory memory_;
};

/// Shows target `index` as `health` until it is taken back with XF_HEALTH_UNKNOWN. Any process may ask: the
/// mapped elements are left to the daemon. ENOENT: there is no such target any more.
Status force_health(int program, uint32_t index, xf_health health);

}  // namespace xdpflowd
