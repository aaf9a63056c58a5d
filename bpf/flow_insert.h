/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a flow comes into a table: what it takes with it from another one, its entry, its timer. */
#ifndef XDPFLOW_FLOW_INSERT_H
#define XDPFLOW_FLOW_INSERT_H

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

#endif
