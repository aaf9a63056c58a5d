// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sched.h>

namespace xdpflowd::test {

/// This thread, from now on.
inline void stay_on_cpu(int cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  sched_setaffinity(0, sizeof one, &one);
}

}  // namespace xdpflowd::test
