// SPDX-License-Identifier: GPL-2.0-or-later
// What a start finds under state_dir, and whether this version can go on from there.
#pragma once

#include <string>

#include "base/result.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

struct Past {
  xf_control control{};  // of what runs, as of this layout; all zero: a first start
  bool carries = false;  // what runs, or its remains, have another layout and were set aside
  bool fresh = false;    // together with `carries`: nothing of this layout is there yet
};

/// Clears what a start left that was killed before anything counted, sets the pins of another layout aside,
/// or puts them back if this is the version that made them.
Result<Past> look_back(const std::string& state_dir);

/// "... was made by a newer version of xdpflowd (layout revision 3, this one has 2)", without a way out; of
/// an older one if it has the same number. Reads the pins in `folder`.
std::string made_by(const std::string& state_dir, const std::string& folder);

}  // namespace xdpflowd
