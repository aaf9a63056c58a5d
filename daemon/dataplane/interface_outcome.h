// SPDX-License-Identifier: GPL-2.0-or-later
// What became of the wish to attach to a device.
#pragma once

#include <string>

#include "xdpflow/abi.h"

namespace xdpflowd {

struct InterfaceOutcome {
  enum class Kind {
    attached,
    missing,  // no such interface now
    failed,
  };

  std::string name;
  Kind kind = Kind::failed;
  unsigned ifindex = 0;
  xf_mode mode = XF_MODE_DETACHED;
  bool dispatcher = false;
  std::string reason;  // "" if attached
};

inline bool is_attached(const InterfaceOutcome& outcome) {
  return outcome.kind == InterfaceOutcome::Kind::attached;
}

/// One line of log.
void report(const InterfaceOutcome& outcome);

}  // namespace xdpflowd
