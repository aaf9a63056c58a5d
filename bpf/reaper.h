/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one timer whose callback deletes: it reaps ended flows, and expires those that could get no timer. */
#ifndef XDPFLOW_REAPER_H
#define XDPFLOW_REAPER_H

#include "flow_timer.h"
#include "orphan.h"

enum { REAP_MAX = 1 << 20 }; /* a bound for the verifier: the slice ends first */

/* The key may be gone already (evicted, or deleted by a packet), or belong to a later flow by now. */
static __always_inline void reap_in(void *table, struct xf_ended *item)
{
	struct xf_flow *flow;

	if (!table)
		return;
	flow = bpf_map_lookup_elem(table, &item->key);
	if (!flow || !in_phase(flow, XF_PHASE_ENDED))
		return;
	if (delete_ended(&item->key, flow))
		observe(XF_HISTOGRAM_REAP_DELAY, bpf_ktime_get_ns() - item->ended_ns);
	else if (in_phase(flow, XF_PHASE_ENDED))
		hand_to_reaper(&item->key, flow, item->ended_ns);
}

/* An ended flow does not say in which of the two tables of a resize it is. */
static __always_inline void reap(struct xf_ended *item)
{
	reap_in(flow_table(item->key.zone, item->table), item);
	reap_in(former_table(item->key.zone, item->table), item);
}

struct slice {
	__u64 until_ns;
};

static long reap_one(__u32 i, struct slice *slice)
{
	struct xf_ended item;

	if (bpf_map_pop_elem(&ended, &item))
		return 1;
	reap(&item);
	return bpf_ktime_get_ns() > slice->until_ns;
}

struct bite {
	__u64 now_ns; /* at its start */
	__u32 pass;
	bool no_timers; /* one refusal is enough to know for this bite */
};

/* True if it has one now, and is no orphan any more. */
static __always_inline bool adopt(void *table, const struct xf_flow_key *key, struct xf_flow *flow, __u8 slot,
				  __s64 left, __u64 now_ns, struct bite *bite)
{
	if (bite->no_timers)
		return false;
	if (arm(table, flow, left, now_ns)) {
		bite->no_timers = true;
		return false;
	}
	unmark_orphan(key, flow);
	shorten_if_changed(flow, slot);
	return true;
}

/*
 * True while the item must stay in the queue. What ends here is deleted here, not handed to the reaper, which
 * this is: an orphan has no timer that would try again if the queue were full.
 */
static __always_inline bool is_orphan_still(struct xf_orphan *item, struct bite *bite)
{
	void *table = table_of_orphan(item);
	__u64 now_ns = bpf_ktime_get_ns();
	struct xf_flow *flow;
	__s64 left;
	__u8 slot;

	flow = table ? bpf_map_lookup_elem(table, &item->key) : NULL;
	if (!flow)
		return false;
	if (in_phase(flow, XF_PHASE_LIVE)) {
		slot = flow->status.timeout;
		left = left_ns(flow, now_ns);
		if (left > 0)
			return !adopt(table, &item->key, flow, slot, left, now_ns, bite);
		if (end_flow(&item->key, flow, reason_of(flow->status), now_ns))
			observe(XF_HISTOGRAM_LATENESS, -left);
	}
	if (delete_ended(&item->key, flow)) {
		observe(XF_HISTOGRAM_REAP_DELAY, bpf_ktime_get_ns() - now_ns);
		return false;
	}
	return in_phase(flow, XF_PHASE_ENDED);
}

static long sweep_one(__u32 i, struct bite *bite)
{
	struct xf_orphan item;
	bool seen;

	if (bpf_map_pop_elem(&orphans, &item))
		return 1;
	seen = item.pass == bite->pass;
	item.pass = bite->pass;
	if ((__s64)(bite->now_ns - item.look_ns) < 0 || is_orphan_still(&item, bite)) {
		if (!put_in_queue(&item))
			return seen;
		count_error(XF_ERROR_ORPHAN_PUSH);
	}
	leave_queue(&item);
	return seen;
}

/* A pass begins when an orphan wants to be looked at, and forgets what it expected: what is put into the
 * queue from now on, by itself too, says when the next one is. */
static __always_inline bool begins_pass(struct xf_reaper *r, __u64 now_ns)
{
	if ((__s64)(now_ns - *(volatile __u64 *)&r->next_look_ns) < 0)
		return false;
	__sync_lock_test_and_set(&r->next_look_ns, ~0ULL >> 1);
	r->orphan_pass++;
	return true;
}

/* One bite when it is due. A pass is over when the first orphan that it met comes round again. */
static __always_inline void sweep_orphans(struct xf_reaper *r, __u64 now_ns)
{
	struct bite bite = {.now_ns = now_ns};

	if ((__s64)(now_ns - r->orphan_due_ns) < 0)
		return;
	r->orphan_due_ns = now_ns + orphan_tick_ns;
	if (!r->sweeping && !begins_pass(r, now_ns))
		return;
	bite.pass = r->orphan_pass;
	r->sweeping = bpf_loop(orphan_bite, sweep_one, &bite, 0) == orphan_bite;
}

static __always_inline bool has_ended(void)
{
	struct xf_ended item;

	return bpf_map_peek_elem(&ended, &item) == 0;
}

static __always_inline bool has_orphans(void)
{
	struct xf_orphan item;

	return bpf_map_peek_elem(&orphans, &item) == 0;
}

/* A failure leaves it awake without a heartbeat: the next new flow revives it. */
static __always_inline void go_on(struct xf_reaper *r, __u64 delay_ns)
{
	if (bpf_timer_start(&r->timer, delay_ns, 0))
		count_error(XF_ERROR_TIMER_START);
}

static int on_reap(void *map, __u32 *index, struct xf_reaper *r)
{
	__u64 now_ns = bpf_ktime_get_ns();
	struct slice slice = {.until_ns = now_ns + reaper_slice_ns};

	r->heartbeat_ns = now_ns;
	sweep_orphans(r, now_ns);
	bpf_loop(REAP_MAX, reap_one, &slice, 0);
	if (has_ended()) {
		go_on(r, reaper_pause_ns);
	} else if (has_orphans()) {
		go_on(r, orphan_tick_ns);
	} else {
		__sync_lock_test_and_set(&r->awake, 0);
		if (has_ended() || has_orphans())
			wake_reaper(now_ns);
	}
	return 0;
}

/* Makes the timer if there is none, and sets it going with this program's callback. */
static __noinline long start_reaper(__u64 now_ns)
{
	__u32 index = 0;
	struct xf_reaper *r = bpf_map_lookup_elem(&reaper, &index);
	long err;

	if (!r)
		return -ENOENT;
	r->awake = 1;
	r->heartbeat_ns = now_ns;
	err = bpf_timer_init(&r->timer, &reaper, CLOCK_MONOTONIC);
	if (err && err != -EBUSY) {
		count_timer_failure(err);
		return err;
	}
	err = bpf_timer_set_callback(&r->timer, on_reap);
	return err ? err : bpf_timer_start(&r->timer, 0, 0);
}

/* A reaper that works has a heartbeat; one without was lost with its timer, and the next new flow brings it
 * back. */
static __always_inline void revive_reaper(__u64 now_ns)
{
	__u32 index = 0;
	struct xf_reaper *r = bpf_map_lookup_elem(&reaper, &index);
	__u64 seen;

	if (!r || !r->awake)
		return;
	seen = r->heartbeat_ns;
	if ((__s64)(now_ns - seen) < (__s64)reaper_dead_ns)
		return;
	if (__sync_val_compare_and_swap(&r->heartbeat_ns, seen, now_ns) != seen)
		return;
	if (!start_reaper(now_ns))
		emit_event(XF_EVENT_REAPER_REVIVED, now_ns);
}

#endif
