/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a probe's outcome makes of its target: rise, fall, and when the next probe is due. Decided under the
 * target's lock, acted upon without it: no helper can be called while it is held.
 */
#ifndef XDPFLOW_TARGET_H
#define XDPFLOW_TARGET_H

#include "flow_event.h"
#include "knobs.h"

struct probe_outcome {
	__u32 sequence; /* of the probe */
	__u8 result;	/* enum xf_result */
	__u8 cause;	/* enum xf_cause */
	__u8 icmp_type, icmp_code;
	__u64 now_ns;
	__u64 rtt_ns;	   /* 0: unknown */
	__u64 lateness_ns; /* since the deadline */
	__u64 due_ns;	   /* by judge(): when the next probe is */
};

static __always_inline struct xf_target *target_of(__u32 index)
{
	return bpf_map_lookup_elem(&targets, &index);
}

static __always_inline struct xf_target_config *config_of(__u32 index)
{
	return bpf_map_lookup_elem(&target_configs, &index);
}

/* Nobody said anything about the target itself. */
static __always_inline bool is_no_verdict(const struct probe_outcome *o)
{
	return o->result == XF_RESULT_UNRESOLVED && o->cause != XF_CAUSE_NO_NEIGHBOUR;
}

static __always_inline void remember(struct xf_target *target, bool failed)
{
	target->history[1] = target->history[1] << 1 | target->history[0] >> 63;
	target->history[0] = target->history[0] << 1 | failed;
}

static __always_inline void note_rtt(struct xf_target *target, __u64 rtt_ns)
{
	target->rtt_ns = rtt_ns;
	target->rtt_sum_ns += rtt_ns;
	if (!target->rtt_min_ns || rtt_ns < target->rtt_min_ns)
		target->rtt_min_ns = rtt_ns;
	if (rtt_ns > target->rtt_max_ns)
		target->rtt_max_ns = rtt_ns;
}

static __always_inline void succeed(struct xf_target *target, const struct xf_target_config *config,
				    const struct probe_outcome *o)
{
	target->failures = 0;
	target->successes++;
	target->error = XF_CAUSE_NONE;
	remember(target, false);
	if (o->rtt_ns)
		note_rtt(target, o->rtt_ns);
	if (target->successes >= config->rise)
		target->health = XF_HEALTH_UP;
}

static __always_inline void fail(struct xf_target *target, const struct xf_target_config *config,
				 const struct probe_outcome *o)
{
	target->successes = 0;
	target->failures++;
	target->error = o->cause;
	target->icmp_type = o->icmp_type;
	target->icmp_code = o->icmp_code;
	remember(target, true);
	if (target->failures >= config->fall)
		target->health = XF_HEALTH_DOWN;
}

/* The barrier keeps the compiler from checking one copy of the index and using another. */
static __always_inline void count_one(__u64 *counters, __u32 size, __u32 index)
{
	barrier_var(index);
	if (index < size)
		counters[index]++;
}

/* Writes down what has changed of what is shown, if anything has. */
static __always_inline void note_change(struct xf_target *target, __u8 before, const struct probe_outcome *o,
					struct xf_target_event *event)
{
	__u8 after = xf_shown_health(target);

	event->before = before;
	event->after = after;
	if (before == after)
		return;
	target->since_ns = o->now_ns;
	target->cause = o->cause;
	count_one(target->transitions, XF_HEALTHS, after);
	event->time_ns = o->now_ns;
	event->rtt_ns = o->rtt_ns;
	event->lateness_ns = o->lateness_ns;
	event->cause = o->cause;
	event->icmp_type = o->icmp_type;
	event->icmp_code = o->icmp_code;
}

/* Under the lock. */
static __always_inline void apply(struct xf_target *target, const struct xf_target_config *config,
				  const struct probe_outcome *o, struct xf_target_event *event)
{
	__u8 before = xf_shown_health(target);

	count_one(target->results, XF_RESULTS, o->result);
	if (!is_no_verdict(o))
		target->judged_ns = o->now_ns;
	if (is_no_verdict(o))
		target->error = o->cause;
	else if (o->result == XF_RESULT_OK)
		succeed(target, config, o);
	else
		fail(target, config, o);
	note_change(target, before, o, event);
}

/* Probes are due at multiples of this, so that those of many targets share a timer interrupt and a wake-up.
 */
static __always_inline __u64 grid_of(__u64 interval_ns)
{
	__u64 grid = interval_ns / 16;

	if (grid > probe_grid_max_ns)
		grid = probe_grid_max_ns;
	return grid < probe_grid_min_ns ? probe_grid_min_ns : grid;
}

static __always_inline __u64 on_grid(__u64 time_ns, __u64 interval_ns)
{
	__u64 grid = grid_of(interval_ns);

	return (time_ns + grid - 1) / grid * grid;
}

/* Those that share a probe may not be down all at once. */
static __always_inline __u64 pace_ns(const struct xf_target *target, const struct xf_target_config *config)
{
	return target->health == XF_HEALTH_DOWN && !config->next_sharer ? config->down_interval_ns
									: config->interval_ns;
}

/*
 * When the next probe is due. A target keeps its turn, so that those that were late together come apart
 * again: after a stall, or while all of them time out. One that is late is due at once, but what was missed
 * while nobody probed is not made up for. `retry_ns`: sooner, while the kernel asks for an address; or 0.
 */
static __always_inline __u64 next_due(struct xf_target *target, const struct xf_target_config *config,
				      const struct probe_outcome *o, __u64 retry_ns)
{
	__u64 interval = pace_ns(target, config);
	__s64 late;
	__u64 due;

	if (retry_ns && interval > retry_ns)
		return o->now_ns + retry_ns;
	target->turn_ns += interval;
	late = o->now_ns - target->turn_ns;
	if (late >= (__s64)interval)
		target->turn_ns += (late / interval + 1) * interval;
	due = on_grid(target->turn_ns, interval);
	return (__s64)(due - o->now_ns) > 0 ? due : o->now_ns;
}

static __always_inline void start_target_timer(struct xf_target *target, __u64 at_ns, __u64 now_ns)
{
	__s64 left = at_ns - now_ns;

	if (bpf_timer_start(&target->timer, left > 0 ? left : 0, 0))
		count_error(XF_ERROR_TIMER_START);
}

static __always_inline void emit_target_event(__u32 index, struct xf_target_event *event)
{
	if (event->before == event->after)
		return;
	event->type = XF_EVENT_TARGET;
	event->index = index;
	if (bpf_ringbuf_output(&events, event, sizeof(*event), 0))
		count_lost(XF_LOST_EVENT);
}

/* Targets that are probed by the same packets; each has a rise and fall of its own. */
static __always_inline void tell_sharers(__u32 next, const struct probe_outcome *o)
{
	struct xf_target_config *config;
	struct xf_target_event event;
	struct xf_target *target;

	for (int i = 1; i < XF_SHARERS_MAX && next; i++) {
		target = target_of(next);
		config = config_of(next);
		if (!target || !config)
			return;
		__builtin_memset(&event, 0, sizeof(event));
		bpf_spin_lock(&target->lock);
		apply(target, config, o, &event);
		bpf_spin_unlock(&target->lock);
		emit_target_event(next, &event);
		next = config->next_sharer;
	}
}

static __always_inline bool is_under_way(const struct xf_target *target, __u32 sequence)
{
	return target->sequence == sequence &&
	       (target->phase == XF_PROBE_PHASE_SENDING || target->phase == XF_PROBE_PHASE_SENT);
}

/* Judges a probe, once: false if that was done already. A global function: see histogram_bucket(). */
__noinline bool judge(__u32 index, struct probe_outcome *o)
{
	struct xf_target_config *config = config_of(index);
	struct xf_target *target = target_of(index);
	struct xf_target_event event = {};
	__u64 retry_ns = 0;

	if (!config || !target || !o)
		return false;
	bpf_spin_lock(&target->lock);
	if (!is_under_way(target, o->sequence)) {
		bpf_spin_unlock(&target->lock);
		return false;
	}
	if (o->cause == XF_CAUSE_RESOLVING)
		retry_ns = target->error == XF_CAUSE_RESOLVING ? resolving_retry_ns : resolve_retry_ns;
	apply(target, config, o, &event);
	o->due_ns = target->due_ns = next_due(target, config, o, retry_ns);
	target->phase = XF_PROBE_PHASE_WAITING;
	bpf_spin_unlock(&target->lock);
	emit_target_event(index, &event);
	tell_sharers(config->next_sharer, o);
	return true;
}

/* Judges it, and has the next one fall due in its time. */
static __always_inline bool settle(__u32 index, struct xf_target *target, struct probe_outcome *o)
{
	if (!judge(index, o))
		return false;
	start_target_timer(target, o->due_ns, o->now_ns);
	return true;
}

#endif
