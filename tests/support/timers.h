// SPDX-License-Identifier: GPL-2.0-or-later
// BPF timers on kernels that run out of them early.
//
// Since Linux 6.18 bpf_timer_init() allocates with kmalloc_nolock(), which gets no new slab from the page
// allocator before the kernel's deferred initialisation of memory is finished. Booted with deferred_init=lazy
// it never is, and timers end after a few dozen. Elsewhere none of this is needed, and none is done.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace xdpflowd::test {

/// Whether this kernel is such a one.
bool timers_are_scarce();
/// The same from uname -r and /proc/cmdline.
bool timers_are_scarce(const std::string& release, const std::string& command_line);

/// Makes room for `count` timers where they are scarce: about 200 bytes each, 4 us each the first time. A few
/// allocations in a million may fail all the same. Root only. The memory stays with the kernel's cache on
/// purpose, until it is rebooted: given back, the timers would be scarce again.
Status prime_timers(size_t count);

}  // namespace xdpflowd::test
