/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flood: the half-open table is full, and each new flow evicts another. Flows that begin then get no timer,
 * most of which the kernel would have to take back before they fire, at several times the cost of the rest of
 * the packet; the reaper's sweep ends those that stay.
 */
#ifndef XDPFLOW_CROWD_H
#define XDPFLOW_CROWD_H

#include <stdbool.h>
#include "knobs.h"
#include "maps.h"

/*
 * Asks whoever can tell, once in a tick of the coarse clock: the census program, by the callback of this
 * timer. Where there is none (before Linux 6.6, or without BTF), no table is ever crowded.
 */
static __always_inline bool is_crowded(__u32 zone, __u64 now_ns)
{
	struct xf_crowd *crowd = bpf_map_lookup_elem(&crowds, &zone);

	if (!crowd)
		return false;
	if ((__s64)(now_ns - crowd->asked_ns) >= (__s64)coarse_tick_ns) {
		crowd->asked_ns = now_ns;
		bpf_timer_start(&crowd->timer, 0, 0);
	}
	return (__s64)(now_ns - crowd->until_ns) < 0;
}

#endif
