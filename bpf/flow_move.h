/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flow that goes from one table to another: to the established one, or out of the table that a resize has
 * replaced. It stays the same flow: counters, deadline and its place in the books go with it, no record is
 * left.
 */
#ifndef XDPFLOW_FLOW_MOVE_H
#define XDPFLOW_FLOW_MOVE_H

#include "crowd.h"
#include "flow_seen.h"

enum move {
	PROMOTION, /* half-open -> established */
	RESIZE,	   /* former table -> table */
};

static __always_inline void move_counter(__u64 *from, __u64 *to)
{
	add(to, __sync_lock_test_and_set(from, 0));
}

/* Leaves zeros: what another CPU still adds is moved later. Only for who has put the copy in its place: each
 * counter has one taker. */
static __always_inline void move_counters(struct xf_flow *from, struct xf_flow *to)
{
	move_counter(&from->forward.packets, &to->forward.packets);
	move_counter(&from->forward.bytes, &to->forward.bytes);
	move_counter(&from->reverse.packets, &to->reverse.packets);
	move_counter(&from->reverse.bytes, &to->reverse.bytes);
}

/* 0, or -EEXIST, or the error of an insert, counted. The table's own copy of `flow` is the one that counts.
 */
static __always_inline long insert(void *table, const struct xf_flow_key *key, const struct xf_flow *flow)
{
	long err = bpf_map_update_elem(table, key, flow, BPF_NOEXIST);

	if (!err || err == -EEXIST)
		return err;
	if (err == -ENOMEM)
		count_error(XF_ERROR_INSERT_NOMEM);
	else if (err == -EBUSY)
		count_error(XF_ERROR_INSERT_BUSY);
	else
		count_error(XF_ERROR_INSERT_OTHER);
	return err;
}

/* Gives a new entry its timer, or to the reaper's sweep if there is none to be had or it would not last. */
static __always_inline void arm_or_orphan(void *table, const struct sighting *s, struct xf_flow *flow)
{
	__u8 slot;

	if (table_of(flow) == XF_TABLE_HALF_OPEN && is_crowded(s->key.zone, s->now_ns) &&
	    join_crowd(&s->key, flow, s->now_ns))
		return;
	slot = current_slot(flow);
	if (!arm(table, flow, left_ns(flow, s->now_ns), s->now_ns))
		shorten_if_changed(flow, slot);
	else if (!make_orphan(&s->key, flow, s->now_ns))
		count_error(XF_ERROR_ORPHAN_PUSH);
}

/* What a flow's status becomes in the table that it moves to. */
static __always_inline union xf_status moved_status(const struct sighting *s, union xf_status status,
						    enum move why)
{
	status.flags &= ~XF_FLOW_ORPHAN;
	if (why == RESIZE)
		return status;
	status.flags |= XF_FLOW_ESTABLISHED;
	if (status.state == XF_STATE_SYN_RECV)
		status.state = XF_STATE_ESTABLISHED;
	status.timeout = timeout_slot(&s->key, status);
	return status;
}

/* Without the counters. */
static __always_inline void copy_for_move(struct xf_flow *copy, struct xf_flow *flow,
					  const struct sighting *s, enum move why)
{
	copy->phase = key_tag(&s->key) << 8 | XF_PHASE_LIVE;
	copy->status = moved_status(s, status_now(flow), why);
	copy->last_seen_ns = flow->last_seen_ns;
	copy->created_ns = flow->created_ns;
	copy->icmp_errors = flow->icmp_errors;
	copy->synack_next = flow->synack_next;
}

static __always_inline void *table_after(const struct sighting *s, const struct xf_flow *flow, enum move why)
{
	return flow_table(s->key.zone, why == PROMOTION ? XF_TABLE_ESTABLISHED : table_of(flow));
}

/* What was left behind turned out to be a flow of its own. */
static __always_inline void count_another(const struct sighting *s, const struct xf_flow *flow, enum move why)
{
	struct xf_zone_stats *stats = zone_counters(s->key.zone);

	if (!stats)
		return;
	add(&stats->created, 1);
	if (why == RESIZE && table_of(flow) == XF_TABLE_ESTABLISHED)
		add(&stats->promoted, 1);
}

/*
 * Takes the copy that was left behind away without a record. It may have ended or been evicted meanwhile:
 * then that was a flow of its own, and the moved one counts as created anew.
 */
static __noinline void retire(const struct sighting *s, struct xf_flow *flow, struct xf_flow *moved,
			      enum move why)
{
	if (!advance(flow, key_tag(&s->key), XF_PHASE_LIVE, XF_PHASE_ENDED)) {
		count_another(s, flow, why);
		return;
	}
	if (moved)
		move_counters(flow, moved);
	if (!delete_ended(&s->key, flow) && in_phase(flow, XF_PHASE_ENDED))
		hand_to_reaper(&s->key, flow, s->now_ns);
}

/* A FIN or RST that another CPU entered in the copy left behind while this one was copying it. */
static __always_inline void catch_up(const struct sighting *s, const struct xf_flow *flow,
				     struct xf_flow *moved, union xf_status copied, enum move why)
{
	union xf_status late = moved_status(s, status_now(flow), why);

	if (late.word != copied.word)
		change_status(s, moved, copied, late);
}

/*
 * Puts a copy into the other table; 0 if that refuses, else the copy's status word. Apart from move_flow(),
 * since the copy and what comes after it do not fit the stack together.
 */
static __noinline __u32 insert_copy(struct sighting *s, struct xf_flow *flow, enum move why)
{
	struct xf_flow copy = {};
	void *table;

	if (!s || !flow)
		return 0;
	table = table_after(s, flow, why);
	if (!table)
		return 0;
	copy_for_move(&copy, flow, s, why);
	return insert(table, &s->key, &copy) ? 0 : copy.status.word;
}

/* False if the other table refuses: then the flow stays where it is. */
static __noinline bool move_flow(struct sighting *s, struct xf_flow *flow, enum move why)
{
	struct xf_zone_stats *stats;
	union xf_status copied;
	struct xf_flow *moved;
	void *table;

	if (!s || !flow)
		return false;
	copied.word = insert_copy(s, flow, why);
	table = table_after(s, flow, why);
	if (!table || !copied.word)
		return false;
	stats = zone_counters(s->key.zone);
	if (stats && why == PROMOTION)
		add(&stats->promoted, 1);
	moved = bpf_map_lookup_elem(table, &s->key);
	if (moved) {
		move_counters(flow, moved);
		arm_or_orphan(table, s, moved);
	} else {
		count_error(XF_ERROR_INSERT_VANISHED);
	}
	retire(s, flow, moved, why);
	if (moved)
		catch_up(s, flow, moved, copied, why);
	return true;
}

#endif
