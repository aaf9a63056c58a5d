// SPDX-License-Identifier: GPL-2.0-or-later
// What libbpf and libxdp say: kept off the operator's screen unless it explains a failure.
#pragma once

#include <string>
#include <vector>

namespace xdpflowd {

/// From now on their messages go to the debug log. Kernel messages meanwhile are collected for the two
/// functions below.
void route_bpf_messages();

/// Forgets what was collected: call before the step whose failure has to be explained.
void clear_bpf_messages();

/// The kernel's own words on the last refusal ("Kernel error message: ..."), or "".
std::string last_kernel_message();

/// The last lines of the verifier's log, oldest first; empty if it did not refuse a program.
std::vector<std::string> last_verifier_lines();

}  // namespace xdpflowd
