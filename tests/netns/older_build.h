// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "support/netns.h"

namespace xdpflowd::test {

/// What is loaded looks like another build's, so that the next start is an upgrade.
void pretend_to_be_older(const Bpffs& bpffs);

}  // namespace xdpflowd::test
