/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What user space carries over from a data plane of another layout: its flows and its totals. The older
 * totals have each of its flows as created, so a flow that comes in counts nowhere.
 */
#ifndef XDPFLOW_CARRY_OVER_H
#define XDPFLOW_CARRY_OVER_H

#include "flow_insert.h"

/* A flow on its way in. */
struct arrival {
	struct sighting s; /* no packet: key and time */
	struct xf_flow flow;
	__u32 table;
	union xf_status twin; /* of the twin that was taken out last */
	bool turned;	      /* its initiator is this flow's responder */
	bool replied;	      /* it has packets of this flow's responder */
};

static __always_inline struct xf_flow *met(const struct arrival *a, __u32 which)
{
	void *table = flow_table(a->s.key.zone, which);

	return table ? bpf_map_lookup_elem(table, &a->s.key) : NULL;
}

/* User space was killed before it could take it out of the older table. */
static __always_inline bool is_here(const struct arrival *a, __u32 which)
{
	struct xf_flow *flow = met(a, which);

	return flow && flow->created_ns == a->flow.created_ns && (flow->status.flags & XF_FLOW_CARRIED);
}

/* As is_replaced(): a SYN that found no flow here would have ended a closing one. */
static __always_inline bool has_successor(const struct arrival *a, __u32 which)
{
	struct xf_flow *flow = met(a, which);

	return flow && is_tcp(&a->s.key) && is_closing(a->flow.status.state) &&
	       (flow->status.flags & XF_FLOW_SYN);
}

static __noinline void end_replaced(struct arrival *a)
{
	struct xf_zone_stats *stats;
	__u32 table;

	if (!a)
		return;
	/* The verifier forgets the bounds of what is read from the stack twice. */
	table = *(const volatile __u32 *)&a->table;
	stats = zone_counters(a->s.key.zone);
	if (stats && table < XF_TABLES)
		add(&stats->ended[table][XF_REASON_REPLACED], 1);
	emit_record(&a->s.key, &a->flow, key_tag(&a->s.key), XF_REASON_REPLACED, a->s.now_ns);
}

static __always_inline __u16 turned_fins(__u16 flags)
{
	return (flags & XF_FLOW_FIN_FORWARD ? XF_FLOW_FIN_REVERSE : 0) |
	       (flags & XF_FLOW_FIN_REVERSE ? XF_FLOW_FIN_FORWARD : 0);
}

/* Where the connection is, as two halves of its packets tell. */
static __always_inline __u8 joint_tcp_state(union xf_status own, __u8 twin)
{
	bool both = (own.flags & XF_FLOW_FIN_FORWARD) && (own.flags & XF_FLOW_FIN_REVERSE);

	if (twin == XF_STATE_CLOSE || own.state == XF_STATE_CLOSE)
		return XF_STATE_CLOSE;
	if (own.state == XF_STATE_TIME_WAIT)
		return own.state;
	if (is_closing(twin))
		return both && twin != XF_STATE_TIME_WAIT ? XF_STATE_LAST_ACK : twin;
	if (is_closing(own.state) || own.state == XF_STATE_ESTABLISHED)
		return own.state;
	return twin == XF_STATE_ESTABLISHED || twin == XF_STATE_SYN_RECV ? twin : own.state;
}

static __always_inline union xf_status joint_status(const struct arrival *a, union xf_status own)
{
	const __u16 fins = XF_FLOW_FIN_FORWARD | XF_FLOW_FIN_REVERSE;

	own.flags |= a->turned ? turned_fins(a->twin.flags) : a->twin.flags & fins;
	if (a->replied)
		own.flags |= XF_FLOW_REPLIED;
	if (is_tcp(&a->s.key))
		own.state = joint_tcp_state(own, a->twin.state);
	else if (a->replied)
		own.state = XF_STATE_REPLIED;
	own.timeout = timeout_slot(&a->s.key, own);
	return own;
}

static __always_inline void move_count(struct xf_count *from, struct xf_count *to)
{
	move_counter(&from->packets, &to->packets);
	move_counter(&from->bytes, &to->bytes);
}

static __always_inline void fold(struct xf_flow *twin, struct xf_flow *into, bool turned)
{
	if (turned) {
		move_count(&twin->forward, &into->reverse);
		move_count(&twin->reverse, &into->forward);
	} else {
		move_count(&twin->forward, &into->forward);
		move_count(&twin->reverse, &into->reverse);
	}
	into->icmp_errors += twin->icmp_errors;
	if ((__s64)(twin->last_seen_ns - into->last_seen_ns) > 0)
		into->last_seen_ns = twin->last_seen_ns;
}

/* The twin was no flow of its own. One that was promoted has promoted this one, unless that was before. */
static __always_inline void uncount(const struct arrival *a, __u32 which)
{
	struct xf_zone_stats *stats = zone_counters(a->s.key.zone);

	if (!stats)
		return;
	add(&stats->created, -1);
	if (which == XF_TABLE_ESTABLISHED && a->table == XF_TABLE_ESTABLISHED)
		add(&stats->promoted, -1);
}

/*
 * Packets that came before their flow did have made another one of the same key: it goes without a record,
 * what it counted goes into `into`. False if there is none.
 */
static __noinline bool take_twin(struct arrival *a, __u32 which, struct xf_flow *into)
{
	struct xf_flow *twin;
	void *table;

	if (!a || !into || which >= XF_TABLES)
		return false;
	table = flow_table(a->s.key.zone, which);
	twin = table ? bpf_map_lookup_elem(table, &a->s.key) : NULL;
	if (!twin || !advance(twin, key_tag(&a->s.key), XF_PHASE_LIVE, XF_PHASE_ENDED))
		return false;
	a->twin = status_now(twin);
	a->turned = ((a->twin.flags ^ a->flow.status.flags) & XF_FLOW_HIGH_STARTED) != 0;
	a->replied = a->turned ? twin->forward.packets : twin->reverse.packets;
	fold(twin, into, a->turned);
	uncount(a, which);
	if (!delete_ended(&a->s.key, twin) && in_phase(twin, XF_PHASE_ENDED))
		hand_to_reaper(&a->s.key, twin, a->s.now_ns);
	return true;
}

/* A twin that was promoted takes this flow into its table. */
static __always_inline void join(struct arrival *a, __u32 which)
{
	if (!take_twin(a, which, &a->flow))
		return;
	a->flow.status = joint_status(a, a->flow.status);
	if (which == a->table)
		return;
	a->table = which;
	a->flow.status = moved_status(&a->s, a->flow.status, PROMOTION);
}

/* One that a packet has made between the look into the half-open table and the insert. */
static __noinline void join_late(struct arrival *a, struct xf_flow *flow)
{
	union xf_status before;

	if (!a || !flow || !take_twin(a, XF_TABLE_HALF_OPEN, flow))
		return;
	before = status_now(flow);
	change_status(&a->s, flow, before, joint_status(a, before));
}

static __noinline void arm_arrival(struct arrival *a)
{
	struct xf_flow *flow;
	void *table;

	if (!a || a->table >= XF_TABLES)
		return;
	table = flow_table(a->s.key.zone, a->table);
	flow = table ? bpf_map_lookup_elem(table, &a->s.key) : NULL;
	if (flow)
		arm_or_orphan(table, &a->s, flow);
	else
		count_error(XF_ERROR_INSERT_VANISHED);
}

enum { ADOPT_TRIES = 2 };

static __noinline long insert_arrival(struct arrival *a)
{
	long err = -EEXIST;

	if (!a)
		return -EINVAL;
	for (int i = 0; i < ADOPT_TRIES && err == -EEXIST; i++) {
		void *table;

		join(a, XF_TABLE_ESTABLISHED);
		if (a->table == XF_TABLE_HALF_OPEN)
			join(a, XF_TABLE_HALF_OPEN);
		table = flow_table(a->s.key.zone, a->table);
		if (!table)
			return -ENOENT;
		err = insert(table, &a->s.key, &a->flow);
	}
	return err;
}

/* False if it found no place. */
static __noinline bool adopt_flow(struct arrival *a)
{
	struct xf_flow *flow;

	if (!a)
		return false;
	if (is_here(a, XF_TABLE_ESTABLISHED) || is_here(a, XF_TABLE_HALF_OPEN))
		return true;
	if (has_successor(a, XF_TABLE_ESTABLISHED) || has_successor(a, XF_TABLE_HALF_OPEN)) {
		end_replaced(a);
		return true;
	}
	if (insert_arrival(a))
		return false;
	arm_arrival(a);
	flow = a->table == XF_TABLE_ESTABLISHED ? met(a, XF_TABLE_ESTABLISHED) : NULL;
	if (flow)
		join_late(a, flow);
	return true;
}

/* Makes a flow of this layout, in this program's hands, of what user space gave. */
static __always_inline void complete(struct arrival *a, __u32 which)
{
	union xf_status *status = &a->flow.status;

	a->table = which;
	a->flow.phase = key_tag(&a->s.key) << 8 | XF_PHASE_LIVE;
	a->flow.generation = 0;
	status->flags &= ~(XF_FLOW_ORPHAN | XF_FLOW_ESTABLISHED);
	status->flags |= XF_FLOW_CARRIED;
	if (which == XF_TABLE_ESTABLISHED)
		status->flags |= XF_FLOW_ESTABLISHED;
	status->timeout = timeout_slot(&a->s.key, *status);
}

/* ---- totals ---- */

/* From the frame, at `offset`. */
static __always_inline void add_words(struct xdp_md *ctx, __u32 offset, __u64 *to, __u32 words)
{
	__u64 word;

	for (__u32 i = 0; i < words; i++) {
		if (bpf_xdp_load_bytes(ctx, offset + i * sizeof(word), &word, sizeof(word)))
			return;
		add(to + i, word);
	}
}

static __always_inline void add_row(struct xdp_md *ctx, __u32 offset, struct xf_addend_head *head)
{
	void *value;

	switch (head->total) {
	case XF_TOTAL_INTERFACE:
		value = bpf_map_lookup_elem(&interface_stats, &head->index);
		if (value)
			add_words(ctx, offset, value, sizeof(struct xf_interface_stats) / sizeof(__u64));
		return;
	case XF_TOTAL_ZONE:
		value = bpf_map_lookup_elem(&zone_stats, &head->index);
		if (value)
			add_words(ctx, offset, value, sizeof(struct xf_zone_stats) / sizeof(__u64));
		return;
	case XF_TOTAL_GLOBAL:
		value = bpf_map_lookup_elem(&global_stats, &head->index);
		if (value)
			add_words(ctx, offset, value, sizeof(struct xf_global_stats) / sizeof(__u64));
		return;
	case XF_TOTAL_HISTOGRAM:
		value = bpf_map_lookup_elem(&histograms, &head->index);
		if (value)
			add_words(ctx, offset, value, sizeof(struct xf_histogram) / sizeof(__u64));
		return;
	}
}

#endif
