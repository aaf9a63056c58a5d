// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "base/unique_fd.h"
#include "support/netns.h"

namespace xdpflowd::test {

/// `return XDP_PASS`, called somebody_else.
UniqueFd foreign_program();

/// By itself on a device.
void attach_foreign_program(const Netns& netns, const std::string& device);

}  // namespace xdpflowd::test
