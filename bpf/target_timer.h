/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The timer of a target: until its probe is due, and from there until the probe's deadline. */
#ifndef XDPFLOW_TARGET_TIMER_H
#define XDPFLOW_TARGET_TIMER_H

#include <linux/time.h>
#include "target.h"

/* Its entry in the ring wakes the daemon. */
static __always_inline void fall_due(__u32 index, struct xf_target *target, __u64 now_ns)
{
	struct xf_due *due = bpf_ringbuf_reserve(&due_probes, sizeof(*due), 0);
	bool taken;

	if (!due) {
		count_error(XF_ERROR_DUE_PUSH);
		start_target_timer(target, now_ns + push_retry_ns, now_ns);
		return;
	}
	due->index = index;
	due->zero = 0;
	bpf_spin_lock(&target->lock);
	taken = target->phase == XF_PROBE_PHASE_WAITING && (__s64)(target->due_ns - now_ns) <= 0;
	if (taken)
		target->phase = XF_PROBE_PHASE_DUE;
	bpf_spin_unlock(&target->lock);
	if (taken)
		bpf_ringbuf_submit(due, 0);
	else /* with a wake-up: it has to be read past, for nobody is woken behind one that is not */
		bpf_ringbuf_discard(due, 0);
}

/* The next one is due at once if its turn has come meanwhile, as with a timeout as long as the interval. */
static __always_inline void miss(__u32 index, struct xf_target *target, __u32 sequence, __u64 deadline_ns,
				 __u64 now_ns)
{
	struct probe_outcome o = {
		.sequence = sequence,
		.result = XF_RESULT_TIMEOUT,
		.cause = XF_CAUSE_TIMEOUT,
		.now_ns = now_ns,
		.lateness_ns = now_ns - deadline_ns,
	};

	if (!judge(index, &o))
		return;
	observe(XF_HISTOGRAM_VERDICT_LATENESS, o.lateness_ns);
	if ((__s64)(o.due_ns - now_ns) > 0)
		start_target_timer(target, o.due_ns, now_ns);
	else
		fall_due(index, target, now_ns);
}

/* One timer for both: until the probe is due, and until its deadline. The target is looked up again,
 * since 6.1's verifier takes no lock through a callback's own pointer. */
static int on_target_timer(void *map, __u32 *key, struct xf_target *same_target)
{
	struct xf_target *target = target_of(*key);
	__u32 index = *key, sequence;
	__u64 now_ns = bpf_ktime_get_ns(), at_ns;
	__u8 phase;

	if (!target)
		return 0;
	bpf_spin_lock(&target->lock);
	phase = target->phase;
	sequence = target->sequence;
	at_ns = phase == XF_PROBE_PHASE_SENT ? target->deadline_ns : target->due_ns;
	bpf_spin_unlock(&target->lock);
	if (phase != XF_PROBE_PHASE_SENT && phase != XF_PROBE_PHASE_WAITING)
		return 0;
	if ((__s64)(at_ns - now_ns) > 0) /* an answer has come while this timer was about to fire */
		start_target_timer(target, at_ns, now_ns);
	else if (phase == XF_PROBE_PHASE_SENT)
		miss(index, target, sequence, at_ns, now_ns);
	else
		fall_due(index, target, now_ns);
	return 0;
}

/* When a target that is started, or started again with another configuration or program, is to be looked at:
 * a fresh one at `first_ns`, others in their turn. */
static __always_inline __u64 set_due(struct xf_target *target, const struct xf_target_config *config,
				     __u64 first_ns, __u64 now_ns)
{
	__u64 interval = pace_ns(target, config);
	__s64 left = target->turn_ns - now_ns;

	if (target->phase == XF_PROBE_PHASE_SENT)
		return target->deadline_ns;
	if (!target->turn_ns)
		target->turn_ns = first_ns;
	else if (left >= (__s64)interval)
		target->turn_ns -= left / interval * interval;
	else if (left < 0)
		target->turn_ns += (-left / interval + 1) * interval;
	target->due_ns = on_grid(target->turn_ns, interval);
	target->phase = XF_PROBE_PHASE_WAITING;
	return target->due_ns;
}

#endif
