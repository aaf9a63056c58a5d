// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counts the elements of one flow table in nanoseconds; run with BPF_PROG_RUN, attached nowhere. And tells
 * packets when a half-open table is full, by the callback of a timer that they start.
 */
#include <linux/errno.h>
#include <linux/time.h>
#include "knobs.h"
#include "maps.h"

char LICENSE[] SEC("license")
= "GPL";

/* The kernel's, as far as it is read here. */
struct bpf_map {
	__u32 max_entries;
} __attribute__((preserve_access_index));

/* Linux 6.6 and later; elsewhere the address is zero and the verifier drops the call. */
extern __s64 bpf_map_sum_elem_count(const struct bpf_map *map) __ksym __weak;

/* What each CPU keeps free of a full LRU map for what comes, at most: LOCAL_FREE_TARGET of bpf_lru_list.c;
 * from Linux 6.16 on not more than half of its share. */
enum { LRU_SET_ASIDE = 128 };

static int look_at_table(void *map, __u32 *zone, struct xf_crowd *crowd)
{
	__u32 index = *zone * XF_TABLES + XF_TABLE_HALF_OPEN;
	struct bpf_map *table = bpf_map_lookup_elem(&tables, &index);
	__s64 room, set_aside = LRU_SET_ASIDE * possible_cpus;

	if (!table || !bpf_map_sum_elem_count)
		return 0;
	room = table->max_entries;
	if (set_aside > room / 2)
		set_aside = room / 2;
	if (bpf_map_sum_elem_count(table) + set_aside >= room)
		crowd->until_ns = bpf_ktime_get_ns() + crowd_ns;
	return 0;
}

/* Gives one zone's element of `crowds` its timer, or another generation's timer this program's callback. */
static long watch(__u32 zone, void *unused)
{
	struct xf_crowd *crowd = bpf_map_lookup_elem(&crowds, &zone);

	if (!crowd)
		return 1;
	bpf_timer_init(&crowd->timer, &crowds, CLOCK_MONOTONIC);
	bpf_timer_set_callback(&crowd->timer, look_at_table);
	return 0;
}

static __always_inline void count(struct xf_census *request)
{
	__u32 index = request->index;
	void *table = bpf_map_lookup_elem(&tables, &index);
	void *former = bpf_map_lookup_elem(&former_tables, &index);

	if (!table || !bpf_map_sum_elem_count)
		return;
	request->count = bpf_map_sum_elem_count(table);
	request->former = former ? bpf_map_sum_elem_count(former) : 0;
	request->count += request->former;
	request->supported = 1;
}

SEC("xdp.frags")
int census(struct xdp_md *ctx)
{
	struct xf_census *request = (void *)(long)ctx->data;

	if ((void *)(request + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	request->supported = 0;
	if (request->op == XF_CENSUS_WATCH)
		bpf_loop(XF_ZONES_MAX, watch, NULL, 0);
	else
		count(request);
	return XDP_PASS;
}
