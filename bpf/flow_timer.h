/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flow timer: arm, lazy re-arm, end. A packet only stamps `last_seen_ns`; the callback computes what is
 * left. */
#ifndef XDPFLOW_FLOW_TIMER_H
#define XDPFLOW_FLOW_TIMER_H

#include <linux/time.h>
#include "flow_end.h"

enum { TIMER_ABSOLUTE = 1 }; /* BPF_F_TIMER_ABS, Linux 6.4 */

/*
 * At `now_ns`, which may be coarse, and what is `left` then. As a point in time where the kernel takes one,
 * so that flows that were seen within one tick of the coarse clock end in one interrupt; before 6.4 that is
 * -EINVAL. So it is for a timer that nobody has armed yet, both times.
 */
static __always_inline long start_timer_quietly(struct xf_flow *flow, __s64 left, __u64 now_ns)
{
	long err;

	if (left < 0)
		left = 0;
	err = bpf_timer_start(&flow->timer, now_ns + left, TIMER_ABSOLUTE);
	return err == -EINVAL ? bpf_timer_start(&flow->timer, left, 0) : err;
}

static __always_inline long start_timer(struct xf_flow *flow, __s64 left, __u64 now_ns)
{
	long err = start_timer_quietly(flow, left, now_ns);

	if (err)
		count_error(XF_ERROR_TIMER_START);
	return err;
}

static __always_inline __u8 current_slot(const struct xf_flow *flow)
{
	return *(const volatile __u8 *)&flow->status.timeout;
}

enum { NOT_SHORTER = 0 };

/* The timeout of `slot` if it is shorter than that of `than`. A global function: see histogram_bucket(). */
__noinline __u64 shorter_timeout_ns(__u32 slot, __u32 than)
{
	__u64 ns = timeout_ns(slot);

	return ns < timeout_ns(than) ? ns : NOT_SHORTER;
}

enum { SHORTEN_TRIES = 3 };

/*
 * A shorter timeout is the one case in which a packet touches the timer (FIN, RST, the handshake's steps).
 * Whoever starts the timer last may not be who changed the state last, so each looks again.
 */
static __noinline void shorten(struct xf_flow *flow, __u8 from_slot, __u8 to_slot)
{
	__u64 timeout;

	if (!flow)
		return;
	for (int i = 0; i < SHORTEN_TRIES && from_slot != to_slot; i++) {
		timeout = shorter_timeout_ns(to_slot, from_slot);
		if ((flow->status.flags & XF_FLOW_ORPHAN) || timeout == NOT_SHORTER)
			return;
		/* -EINVAL: not armed yet; who arms it looks for a shorter timeout then. */
		start_timer_quietly(flow, timeout + coarse_lag_ns(), flow->last_seen_ns);
		from_slot = to_slot;
		to_slot = current_slot(flow);
	}
}

/* Behind a start: another CPU's FIN or RST may have come before it. */
static __always_inline void shorten_if_changed(struct xf_flow *flow, __u8 armed_slot)
{
	__u8 slot = current_slot(flow);

	if (slot != armed_slot)
		shorten(flow, armed_slot, slot);
}

/* Never inserts or deletes: on 6.1 and 6.12 an evicting CPU may hold the table's lock while it waits for this
 * callback. */
static int on_idle_check(void *map, struct xf_flow_key *map_key, struct xf_flow *flow)
{
	struct xf_flow_key key = *map_key;
	__u64 now_ns = bpf_ktime_get_ns();
	__s64 left;
	__u8 slot;

	if (in_phase(flow, XF_PHASE_LIVE)) {
		slot = current_slot(flow);
		left = left_ns(flow, now_ns);
		if (left > 0) {
			count_callback(XF_CALLBACK_REARMED);
			start_timer(flow, left, now_ns);
			shorten_if_changed(flow, slot);
			return 0;
		}
		if (end_flow(&key, flow, reason_of(flow->status), now_ns)) {
			count_callback(XF_CALLBACK_ENDED);
			observe(XF_HISTOGRAM_LATENESS, -left);
		}
	}
	if (in_phase(flow, XF_PHASE_ENDED))
		hand_to_reaper(&key, flow, now_ns);
	return 0;
}

/* 0, or why this flow has no timer. -EBUSY: another CPU made it first, and may not have set it going yet. */
static __always_inline long arm(void *table, struct xf_flow *flow, __s64 left, __u64 now_ns)
{
	long err = bpf_timer_init(&flow->timer, table, CLOCK_MONOTONIC);

	if (err) {
		count_timer_failure(err);
		if (err != -EBUSY)
			return err;
	}
	err = bpf_timer_set_callback(&flow->timer, on_idle_check);
	if (err) {
		count_error(XF_ERROR_TIMER_CALLBACK);
		return err;
	}
	flow->generation = generation;
	return start_timer(flow, left, now_ns);
}

#endif
