// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The daemon's way to the targets: starts their timers, builds the probes that are due, sets the deadlines of
 * those that were sent. Run with BPF_PROG_RUN, attached nowhere; asked by the first elements of
 * `probe_frames`, and answers in them. Returns 0, or a negative error.
 */
#include "probe_way.h"
#include "target_timer.h"

char LICENSE[] SEC("license")
= "GPL";

static __always_inline long start(struct xf_probe_frame *frame)
{
	struct xf_target_config *config = config_of(frame->index);
	struct xf_target *target = target_of(frame->index);
	__u64 now_ns = bpf_ktime_get_ns(), at_ns;
	long err;

	if (!target || !config)
		return -ENOENT;
	err = bpf_timer_init(&target->timer, &targets, CLOCK_MONOTONIC);
	if (err && err != -EBUSY) {
		count_timer_failure(err);
		return err;
	}
	err = bpf_timer_set_callback(&target->timer, on_target_timer);
	if (err)
		return err;
	at_ns = on_grid(now_ns + frame->argument, config->interval_ns);
	bpf_spin_lock(&target->lock);
	at_ns = set_due(target, config, at_ns, now_ns);
	bpf_spin_unlock(&target->lock);
	start_target_timer(target, at_ns, now_ns);
	return 0;
}

static __always_inline bool is_zero(const struct xf_addr *addr)
{
	return !(addr->word[0] | addr->word[1] | addr->word[2] | addr->word[3]);
}

static __always_inline int draw_up(struct xdp_md *ctx, const struct draft *d)
{
	int outcome;

	if (d->config->refusal)
		return d->config->refusal;
	if (d->config->probe == XF_PROBE_ARP) {
		d->frame->ifindex = d->config->route_ifindex;
		d->frame->next_hop = d->config->address;
		outcome = d->config->route_ifindex ? 0 : XF_CAUSE_NO_ROUTE;
	} else {
		outcome = find_way(ctx, d);
	}
	if (outcome)
		return outcome;
	return is_zero(&d->config->source) ? XF_CAUSE_NO_SOURCE : put_probe(d);
}

/* From here on a reply counts. False if no probe is due: it was built already. */
static __always_inline bool begin(struct xf_target *target, struct xf_probe_frame *frame, __u64 now_ns)
{
	bool due;
	__u64 delay;

	bpf_spin_lock(&target->lock);
	due = target->phase == XF_PROBE_PHASE_DUE;
	if (due) {
		target->phase = XF_PROBE_PHASE_SENDING;
		target->sequence++;
		target->built_ns = now_ns;
	}
	frame->sequence = target->sequence;
	delay = now_ns - target->due_ns;
	bpf_spin_unlock(&target->lock);
	if (due)
		observe(XF_HISTOGRAM_PROBE_DELAY, delay);
	return due;
}

static __always_inline int build(struct xdp_md *ctx, struct xf_probe_frame *frame)
{
	struct xf_target *target = target_of(frame->index);
	struct draft d = {
		.frame = frame,
		.config = config_of(frame->index),
		.control = health_control(),
		.index = frame->index,
	};

	frame->length = 0;
	if (!target || !d.config || !d.control || !begin(target, frame, bpf_ktime_get_ns()))
		return -EAGAIN;
	d.sequence = frame->sequence;
	d.is_ipv4 = is_mapped(&d.config->address);
	return draw_up(ctx, &d);
}

/* No probe sent, no verdict, unless the kernel knows that none can be sent. */
static __always_inline __u8 result_of(__u8 cause)
{
	switch (cause) {
	case XF_CAUSE_NO_ROUTE:
	case XF_CAUSE_LINK_DOWN:
		return XF_RESULT_UNREACHABLE;
	default:
		return XF_RESULT_UNRESOLVED;
	}
}

/* Of a probe that was sent: its deadline, unless the reply was faster. Of one that was not: why. */
static __always_inline int arm_probe(struct xf_probe_frame *frame)
{
	struct xf_target_config *config = config_of(frame->index);
	struct xf_target *target = target_of(frame->index);
	__u64 now_ns = bpf_ktime_get_ns();
	struct probe_outcome o = {.sequence = frame->sequence, .cause = frame->outcome, .now_ns = now_ns};
	bool armed = false;

	if (!target || !config || frame->outcome < 0)
		return -ENOENT;
	if (frame->outcome) {
		o.result = result_of(o.cause);
		settle(frame->index, target, &o);
		return 0;
	}
	bpf_spin_lock(&target->lock);
	if (target->phase == XF_PROBE_PHASE_SENDING && target->sequence == frame->sequence) {
		target->phase = XF_PROBE_PHASE_SENT;
		target->deadline_ns = now_ns + config->timeout_ns;
		armed = true;
	}
	bpf_spin_unlock(&target->lock);
	if (armed)
		start_target_timer(target, now_ns + config->timeout_ns, now_ns);
	return 0;
}

/* An operator's word, above the probes', until it is taken back. */
static __always_inline int force(__u32 index, __u32 health)
{
	struct xf_target *target = target_of(index);
	struct probe_outcome o = {.cause = XF_CAUSE_MAINTENANCE, .now_ns = bpf_ktime_get_ns()};
	struct xf_target_event event = {};
	__u8 before;

	if (!target)
		return -ENOENT;
	if (health >= XF_HEALTHS)
		return -EINVAL;
	event.forced = health != XF_HEALTH_UNKNOWN;
	bpf_spin_lock(&target->lock);
	before = xf_shown_health(target);
	target->forced = health;
	note_change(target, before, &o, &event);
	bpf_spin_unlock(&target->lock);
	emit_target_event(index, &event);
	return 0;
}

static __always_inline int stop(struct xf_probe_frame *frame)
{
	struct xf_target *target = target_of(frame->index);

	if (!target)
		return -ENOENT;
	bpf_spin_lock(&target->lock);
	target->phase = XF_PROBE_PHASE_STOPPED;
	bpf_spin_unlock(&target->lock);
	bpf_timer_cancel(&target->timer);
	return 0;
}

struct probe_run {
	struct xdp_md *ctx;
	__u32 op;
};

static long do_one(__u32 i, struct probe_run *run)
{
	struct xf_probe_frame *frame = bpf_map_lookup_elem(&probe_frames, &i);

	if (!frame)
		return 1;
	switch (run->op) {
	case XF_PROBE_OP_START:
		frame->outcome = start(frame);
		break;
	case XF_PROBE_OP_BUILD:
		frame->outcome = build(run->ctx, frame);
		break;
	case XF_PROBE_OP_ARM:
		arm_probe(frame);
		break;
	case XF_PROBE_OP_STOP:
		frame->outcome = stop(frame);
		break;
	}
	return 0;
}

SEC("xdp.frags")
int probe(struct xdp_md *ctx)
{
	struct probe_run run = {.ctx = ctx};
	struct xf_probe_request request;

	if (bpf_xdp_load_bytes(ctx, 0, &request, sizeof(request)))
		return -EINVAL;
	if (request.op < XF_PROBE_OP_START || request.op > XF_PROBE_OP_STOP || request.count > XF_PROBE_BATCH)
		return -EINVAL;
	if (request.op == XF_PROBE_OP_FORCE)
		return force(request.index, request.health);
	run.op = request.op;
	bpf_loop(request.count, do_one, &run, 0);
	return 0;
}
