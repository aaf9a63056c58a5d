/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a flow ends: live -> ended -> reaping -> deleted, each step with one winner (DESIGN, data plane rule
 * 6). */
#ifndef XDPFLOW_FLOW_END_H
#define XDPFLOW_FLOW_END_H

#include <linux/errno.h>
#include "flow_event.h"
#include "flow_key.h"
#include "knobs.h"

static __always_inline bool in_phase(const struct xf_flow *flow, enum xf_phase phase)
{
	return (*(const volatile __u32 *)&flow->phase & 0xff) == phase;
}

/* False if this element has become another flow's. */
static __always_inline bool is_of(const struct xf_flow *flow, const struct xf_flow_key *key)
{
	return *(const volatile __u32 *)&flow->phase >> 8 == key_tag(key);
}

/* False if somebody else took the step, or if this element has become another flow's. */
static __always_inline bool advance(struct xf_flow *flow, __u32 tag, enum xf_phase from, enum xf_phase to)
{
	__u32 before = tag << 8 | from;

	return __sync_val_compare_and_swap(&flow->phase, before, tag << 8 | to) == before;
}

static __always_inline enum xf_table table_of(const struct xf_flow *flow)
{
	return flow->status.flags & XF_FLOW_ESTABLISHED ? XF_TABLE_ESTABLISHED : XF_TABLE_HALF_OPEN;
}

/* What user space says is one. */
static __always_inline bool is_table(const struct xf_flow_key *key, __u32 which)
{
	return key && which < XF_TABLES && key->zone < XF_ZONES_MAX;
}

static __always_inline void *flow_table(__u32 zone, __u32 table)
{
	__u32 index = zone * XF_TABLES + table;

	return bpf_map_lookup_elem(&tables, &index);
}

/* NULL unless this table is being resized. */
static __always_inline void *former_table(__u32 zone, __u32 table)
{
	__u32 index = zone * XF_TABLES + table;

	return bpf_map_lookup_elem(&former_tables, &index);
}

/* NULL if it was evicted. The table in which `flow` was found may have become the former one since. */
static __always_inline void *table_with(const struct xf_flow_key *key, const struct xf_flow *flow)
{
	void *table = flow_table(key->zone, table_of(flow));

	if (table && bpf_map_lookup_elem(table, key) == flow)
		return table;
	table = former_table(key->zone, table_of(flow));
	return table && bpf_map_lookup_elem(table, key) == flow ? table : NULL;
}

static __always_inline __u64 timeout_ns(__u8 slot)
{
	__u32 index = slot;
	__u64 *value = bpf_map_lookup_elem(&timeouts, &index);

	return value ? *value : 0;
}

/*
 * By how much `last_seen_ns` may be early: the time since the last tick, and what the epoch of jiffies is
 * early; or what the kernel's coarse clock had left over at that tick, since it adds up whole steps. Nobody
 * bounds a tick that is late (a hypervisor's).
 */
static __always_inline __u64 coarse_lag_ns(void)
{
	return 2 * coarse_tick_ns;
}

/* What is left until the flow's deadline; signed, since another CPU may have stamped `last_seen_ns` after
 * `now_ns` was read. */
static __always_inline __s64 left_ns(const struct xf_flow *flow, __u64 now_ns)
{
	return flow->last_seen_ns + timeout_ns(flow->status.timeout) + coarse_lag_ns() - now_ns;
}

/* Why a flow ends that nothing but time has ended. */
static __always_inline enum xf_reason reason_of(union xf_status status)
{
	switch (status.state) {
	case XF_STATE_CLOSE:
		return XF_REASON_RESET;
	case XF_STATE_LAST_ACK:
	case XF_STATE_TIME_WAIT:
		return XF_REASON_CLOSED;
	case XF_STATE_FIN_WAIT: /* of one end alone: the other's FIN is not seen */
		return status.flags & XF_FLOW_REPLIED ? XF_REASON_IDLE : XF_REASON_CLOSED;
	default:
		return XF_REASON_IDLE;
	}
}

/* live -> ended: the winner counts it and leaves the one record. */
static __noinline bool end_flow(struct xf_flow_key *key, struct xf_flow *flow, enum xf_reason reason,
				__u64 now_ns)
{
	struct xf_zone_stats *stats;
	__u32 tag;

	if (!key || !flow)
		return false;
	tag = key_tag(key);
	if (!advance(flow, tag, XF_PHASE_LIVE, XF_PHASE_ENDED))
		return false;
	stats = zone_counters(key->zone);
	if (stats && reason < XF_REASONS)
		add(&stats->ended[table_of(flow)][reason], 1);
	emit_record(key, flow, tag, reason, now_ns);
	return true;
}

/*
 * The compare-and-swap is also the barrier between a push and the look at `awake`: the reaper clears `awake`
 * before its last look at the queues, so one of the two sees the other.
 */
static __always_inline void wake_reaper(__u64 now_ns)
{
	__u32 index = 0;
	struct xf_reaper *r = bpf_map_lookup_elem(&reaper, &index);

	if (!r || __sync_val_compare_and_swap(&r->awake, 0, 1) != 0)
		return;
	r->heartbeat_ns = now_ns;
	if (bpf_timer_start(&r->timer, reaper_gather_ns, 0))
		count_error(XF_ERROR_TIMER_START);
}

/* Of this object alone: no state to keep, a new generation begins anew. */
static __u64 next_retry_ns;

/*
 * When a flow that found the queue full tries again: in its turn. If each came back at a fixed pace, as many
 * as one CPU can have tried in that time would keep it busy for good, and the reaper with it.
 */
static __always_inline __u64 retry_ns(__u64 now_ns)
{
	__u64 turn_ns = __sync_fetch_and_add(&next_retry_ns, push_retry_gap_ns);

	if ((__s64)(turn_ns - now_ns) < 0) {
		turn_ns = now_ns;
		next_retry_ns = now_ns + push_retry_gap_ns;
	}
	return push_retry_ns + turn_ns - now_ns;
}

/* For an ended flow. A full queue is tried again by the flow's own timer; an orphan's entry is met again by
 * the sweep. */
static __noinline void hand_to_reaper(const struct xf_flow_key *key, struct xf_flow *flow, __u64 now_ns)
{
	struct xf_ended item = {};

	if (!key || !flow)
		return;
	item.key = *key;
	item.ended_ns = now_ns;
	item.table = table_of(flow);
	if (bpf_map_push_elem(&ended, &item, 0)) {
		count_error(XF_ERROR_ENDED_PUSH);
		if (bpf_timer_start(&flow->timer, retry_ns(now_ns), 0))
			count_error(XF_ERROR_TIMER_START);
	}
	wake_reaper(now_ns);
}

/* ended -> reaping -> gone. False if somebody else does it, or if the map refused: then it is `ended` again.
 */
static __always_inline bool delete_ended(const struct xf_flow_key *key, struct xf_flow *flow)
{
	__u32 tag = key_tag(key);
	void *table;
	long err;

	if (!advance(flow, tag, XF_PHASE_ENDED, XF_PHASE_REAPING))
		return false;
	table = table_with(key, flow);
	if (!table)
		return true;
	err = bpf_map_delete_elem(table, key);
	if (!err || err == -ENOENT)
		return true;
	count_error(XF_ERROR_DELETE);
	advance(flow, tag, XF_PHASE_REAPING, XF_PHASE_ENDED);
	return false;
}

#endif
