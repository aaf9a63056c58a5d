/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Load-time constants: what cannot change while a generation lives. Set by the daemon before the load. */
#ifndef XDPFLOW_KNOBS_H
#define XDPFLOW_KNOBS_H

#include <linux/types.h>

/* Which load of the data plane this is; a program passes untouched unless control.generation says the same.
 */
const volatile __u32 generation = 1;

/* Step of the coarse clock, which a jiffy is: see coarse_lag_ns(). 10 ms is HZ=100, the longest there is. */
const volatile __u64 coarse_tick_ns = 10000000;

/* CLOCK_MONOTONIC when jiffies were 0, modulo 2^64, about half a tick early; 0: it is not known. */
const volatile __u64 jiffies_epoch_ns = 0;

const volatile __u32 possible_cpus = 1;

/* For so long after the half-open table was seen to be full, new flows get no timers. */
const volatile __u64 crowd_ns = 100000000;

/* What ends within this is deleted in one go: one interrupt for many flows. */
const volatile __u64 reaper_gather_ns = 500000;

/* The reaper gives back the CPU after this long in softirq, and comes back after the pause while there is
 * more to do. */
const volatile __u64 reaper_slice_ns = 1000000;
const volatile __u64 reaper_pause_ns = 50000;

/* Room in the queue of orphans. */
const volatile __u32 orphan_room = 1;

/* While there are orphans, this many of them are looked at every tick. */
const volatile __u32 orphan_bite = 4096;
const volatile __u64 orphan_tick_ns = 20000000;

/* A reaper that works and has shown no heartbeat for this long is restarted by the next new flow. */
const volatile __u64 reaper_dead_ns = 1000000000;

/* A flow that found the queue `ended` full tries again after this, and not within the gap after another one:
 * they are a quarter of a million each second, fewer than the reaper takes. */
const volatile __u64 push_retry_ns = 10000000;
const volatile __u64 push_retry_gap_ns = 4000;

/* One-way and mid-stream flows are promoted only when seen over at least this long. */
const volatile __u64 promote_span_ns = 2000000000;

/* Probes are due at multiples of a sixteenth of their interval, within these bounds. */
const volatile __u64 probe_grid_min_ns = 100000;
const volatile __u64 probe_grid_max_ns = 5000000;

/* A probe whose next hop has no address yet is tried again after this, if its interval is longer; and then
 * after this, while the kernel asks. */
const volatile __u64 resolve_retry_ns = 100000000;
const volatile __u64 resolving_retry_ns = 1000000000;

#endif
