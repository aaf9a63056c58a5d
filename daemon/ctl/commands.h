// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <ostream>

#include "base/result.h"
#include "ctl/arguments.h"

namespace xdpflowd {

/// Does what was asked and writes the answer. `width` of the terminal; 0: none.
Status execute(const Arguments& arguments, std::ostream& out, size_t width);

}  // namespace xdpflowd
