// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <span>

#include "base/result.h"
#include "base/unique_fd.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

/// Sends frames as they are.
class PacketSender {
 public:
  /// Needs CAP_NET_RAW; before the first send(). Once is enough.
  Status open();

  /// At most XF_PROBE_BATCH, each by its `ifindex`. What was not sent gets an enum xf_cause as its `outcome`.
  void send(std::span<xf_probe_frame* const> frames) const;

 private:
  UniqueFd socket_;
};

}  // namespace xdpflowd
