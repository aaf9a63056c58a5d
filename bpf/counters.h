/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is counted, and the one exit of every packet. The counters are per CPU; those that process context
 * (the admin program) writes too are added to atomically, since a softirq may come in between.
 */
#ifndef XDPFLOW_COUNTERS_H
#define XDPFLOW_COUNTERS_H

#include <linux/errno.h>
#include "maps.h"
#include "packet.h"

static __always_inline void add(__u64 *counter, __u64 value)
{
	__sync_fetch_and_add(counter, value);
}

static __always_inline struct xf_global_stats *global(void)
{
	__u32 index = 0;

	return bpf_map_lookup_elem(&global_stats, &index);
}

static __always_inline struct xf_zone_stats *zone_counters(__u32 zone)
{
	return bpf_map_lookup_elem(&zone_stats, &zone);
}

static __always_inline void count_error(enum xf_error error)
{
	struct xf_global_stats *stats = global();

	if (stats)
		add(&stats->errors[error], 1);
}

static __always_inline void count_lost(enum xf_lost kind)
{
	struct xf_global_stats *stats = global();

	if (stats)
		add(&stats->lost[kind], 1);
}

static __always_inline void count_callback(enum xf_callback result)
{
	struct xf_global_stats *stats = global();

	if (stats)
		add(&stats->callbacks[result], 1);
}

static __always_inline void count_timer_failure(long err)
{
	struct xf_global_stats *stats = global();

	if (!stats)
		return;
	if (err == -ENOMEM)
		add(&stats->timer_failures[XF_TIMER_NOMEM], 1);
	else if (err == -EBUSY)
		add(&stats->timer_failures[XF_TIMER_BUSY], 1);
	else if (err == -EPERM)
		add(&stats->timer_failures[XF_TIMER_PERM], 1);
	else
		add(&stats->timer_failures[XF_TIMER_OTHER], 1);
}

/*
 * The smallest i with 2^i >= value, at most XF_HISTOGRAM_BUCKETS - 1. A global function, as are others with
 * many branches and a plain result: the verifier walks it once, not once for each way that leads to it.
 */
__noinline __u32 histogram_bucket(__u64 value)
{
	__u32 i = 0;

	if (value > 1U << 31)
		return XF_HISTOGRAM_BUCKETS - 1;
	if (value)
		value--;
#pragma unroll
	for (__u32 step = 16; step; step /= 2) {
		if (value >> step) {
			value >>= step;
			i += step;
		}
	}
	return i + (value ? 1 : 0);
}

static __always_inline void observe_in(struct xf_histogram *histogram, __u64 value_ns)
{
	__u32 bucket = histogram_bucket((value_ns + 999) / 1000);

	if (!histogram || bucket >= XF_HISTOGRAM_BUCKETS)
		return;
	add(&histogram->bucket[bucket], 1);
	add(&histogram->sum_ns, value_ns);
}

static __always_inline void observe(enum xf_histogram_index index, __u64 value_ns)
{
	__u32 key = index;

	observe_in(bpf_map_lookup_elem(&histograms, &key), value_ns);
}

/* What became of a packet: one of these two, or the enum xf_untracked why it is on no flow. */
enum outcome {
	TRACKED = XF_UNTRACKED,
	CREATED,
	MISSED,	  /* its flow may be in a former table */
	ANSWERED, /* a probe's reply, of which our answer was made in its place */
};

/* The one exit. Tracking never drops: policy belongs to the stack, and only what answers a probe goes back.
 */
static __always_inline int verdict(__u32 interface, const struct packet *pkt, int unparsed, __u32 outcome)
{
	struct xf_interface_stats *stats = bpf_map_lookup_elem(&interface_stats, &interface);

	if (!stats)
		return XDP_PASS;
	if (outcome == XF_UNTRACKED_INACTIVE) { /* the active generation counts the packet itself */
		stats->untracked[outcome]++;
		return XDP_PASS;
	}
	stats->bytes += pkt->bytes;
	if (outcome == TRACKED) {
		stats->packets[XF_VERDICT_TRACKED]++;
	} else if (outcome == CREATED) {
		stats->packets[XF_VERDICT_CREATED]++;
	} else if (outcome == ANSWERED) {
		stats->packets[XF_VERDICT_UNTRACKED]++;
		stats->untracked[XF_UNTRACKED_PROBE]++;
		return XDP_TX;
	} else if (outcome < XF_UNTRACKED) {
		stats->packets[XF_VERDICT_UNTRACKED]++;
		stats->untracked[outcome]++;
		if (unparsed >= 0 && unparsed < XF_UNPARSED)
			stats->unparsed[unparsed]++;
	}
	return XDP_PASS;
}

#endif
