/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows without a timer, and the queue in which they wait for the reaper's sweep. */
#ifndef XDPFLOW_ORPHAN_H
#define XDPFLOW_ORPHAN_H

#include "flow_end.h"

static __always_inline __u32 orphan_bit(void)
{
	return (union xf_status){.flags = XF_FLOW_ORPHAN}.word;
}

/* The element may have become another orphan's meanwhile, which stays one. */
static __always_inline void unmark_orphan(const struct xf_flow_key *key, struct xf_flow *flow)
{
	__u32 before = __sync_fetch_and_and(&flow->status.word, ~orphan_bit());

	if ((before & orphan_bit()) && !is_of(flow, key))
		__sync_fetch_and_or(&flow->status.word, orphan_bit());
}

/* NULL if it is not there, or has a timer by now. */
static __always_inline struct xf_flow *orphan_in(void *table, const struct xf_orphan *item)
{
	struct xf_flow *flow = table ? bpf_map_lookup_elem(table, &item->key) : NULL;

	return flow && flow->created_ns == item->created_ns && (flow->status.flags & XF_FLOW_ORPHAN) ? flow
												     : NULL;
}

/* NULL if the flow is gone, or came by a timer when it moved. */
static __always_inline void *table_of_orphan(const struct xf_orphan *item)
{
	void *table = flow_table(item->key.zone, item->table);

	if (orphan_in(table, item))
		return table;
	table = former_table(item->key.zone, item->table);
	return orphan_in(table, item) ? table : NULL;
}

static __always_inline struct xf_reaper *the_reaper(void)
{
	__u32 index = 0;

	return bpf_map_lookup_elem(&reaper, &index);
}

/* Before an item is made, so that one that was taken out of the queue for a look always finds room again. */
static __always_inline bool claim_place(void)
{
	struct xf_reaper *r = the_reaper();

	if (!r)
		return false;
	if (__sync_fetch_and_add(&r->orphans, 1) < orphan_room)
		return true;
	__sync_fetch_and_add(&r->orphans, -1);
	return false;
}

static __always_inline void give_up_place(void)
{
	struct xf_reaper *r = the_reaper();

	if (r)
		__sync_fetch_and_add(&r->orphans, -1);
}

enum { LOWER_TRIES = 4 };

/*
 * Behind the push: a pass of the sweep forgets this first, and then meets all that is in the queue. A global
 * function: see histogram_bucket().
 */
__noinline int expect_look(__u64 look_ns)
{
	struct xf_reaper *r = the_reaper();
	__u64 expected;

	if (!r)
		return 0;
	for (int i = 0; i < LOWER_TRIES; i++) {
		expected = *(volatile __u64 *)&r->next_look_ns;
		if (expected <= look_ns ||
		    __sync_val_compare_and_swap(&r->next_look_ns, expected, look_ns) == expected)
			return 0;
	}
	r->next_look_ns = 0; /* rather too soon */
	return 0;
}

static __always_inline long put_in_queue(const struct xf_orphan *item)
{
	long err = bpf_map_push_elem(&orphans, item, 0);

	if (!err)
		expect_look(item->look_ns);
	return err;
}

/* The item is not put back. */
static __always_inline void leave_queue(const struct xf_orphan *item)
{
	struct xf_zone_stats *stats = zone_counters(item->key.zone);

	give_up_place();
	if (stats)
		add(&stats->adopted, 1);
}

/* Eviction leaves the victim's item in the queue. Looks at the oldest one: 1 if that gave its place away. */
static long drop_stale(__u32 i, void *unused)
{
	struct xf_orphan item;
	struct xf_flow *flow;

	if (bpf_map_pop_elem(&orphans, &item))
		return 1;
	flow = orphan_in(flow_table(item.key.zone, item.table), &item);
	if (!flow)
		flow = orphan_in(former_table(item.key.zone, item.table), &item);
	if (flow && !in_phase(flow, XF_PHASE_REAPING) && !put_in_queue(&item))
		return 0;
	leave_queue(&item);
	return 1;
}

/* False if the queue is full. Neither calls nor is called by drop_stale(): two items do not fit the stack. */
static __noinline bool put_in_line(const struct xf_flow_key *key, const struct xf_flow *flow, __u64 look_ns)
{
	struct xf_orphan item = {};
	struct xf_zone_stats *stats;

	if (!key || !flow || !claim_place())
		return false;
	item.key = *key;
	item.created_ns = flow->created_ns;
	item.look_ns = look_ns;
	item.table = table_of(flow);
	if (put_in_queue(&item)) {
		give_up_place();
		return false;
	}
	stats = zone_counters(key->zone);
	if (stats)
		add(&stats->orphaned, 1);
	return true;
}

enum {
	STALE_TRIES = 16,
	CROWD_TRIES = 4, /* the oldest are not always those that were evicted first */
};

/* For the sweep, from `look_ns` on; false if the queue has no room. */
static __always_inline bool enqueue_orphan(const struct xf_flow_key *key, const struct xf_flow *flow,
					   __u64 look_ns, __u64 now_ns)
{
	if (!put_in_line(key, flow, look_ns)) {
		bpf_loop(STALE_TRIES, drop_stale, NULL, 0);
		if (!put_in_line(key, flow, look_ns))
			return false;
	}
	wake_reaper(now_ns);
	return true;
}

/* For an orphan whose timeout has become shorter: one more item. If the queue is full, the one that is there
 * ends it, late. */
static __always_inline void look_sooner(const struct xf_flow_key *key, const struct xf_flow *flow,
					__u64 now_ns)
{
	enqueue_orphan(key, flow, now_ns + left_ns(flow, now_ns), now_ns);
}

/* Marked before it is enqueued, so that a packet that shortens its timeout meanwhile knows: look_sooner(). */
static __always_inline bool make_orphan(const struct xf_flow_key *key, struct xf_flow *flow, __u64 now_ns)
{
	__sync_fetch_and_or(&flow->status.word, orphan_bit());
	return enqueue_orphan(key, flow, 0, now_ns);
}

/*
 * As make_orphan(), for a flow that could have a timer, but would be evicted before that fires: not looked at
 * before its deadline, since each look makes it seem in use and others be evicted. The queue does not grow by
 * a flood: for each flow that comes one is looked for that has gone.
 */
static __always_inline bool join_crowd(const struct xf_flow_key *key, struct xf_flow *flow, __u64 now_ns)
{
	__sync_fetch_and_or(&flow->status.word, orphan_bit());
	bpf_loop(CROWD_TRIES, drop_stale, NULL, 0);
	if (enqueue_orphan(key, flow, now_ns + left_ns(flow, now_ns), now_ns))
		return true;
	unmark_orphan(key, flow);
	return false;
}

#endif
