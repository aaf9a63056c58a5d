/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flow that goes from one table to another: to the established one, or out of the table that a resize has
 * replaced. It stays the same flow: counters, deadline and its place in the books go with it, no record is
 * left.
 */
#ifndef XDPFLOW_FLOW_MOVE_H
#define XDPFLOW_FLOW_MOVE_H

#include "flow_insert.h"

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
static __always_inline void count_another(const struct sighting *s, union xf_status copied, enum move why)
{
	struct xf_zone_stats *stats = zone_counters(s->key.zone);

	if (!stats)
		return;
	add(&stats->created, 1);
	if (why == RESIZE && (copied.flags & XF_FLOW_ESTABLISHED))
		add(&stats->promoted, 1);
}

enum { CATCH_UP_TRIES = 4 }; /* each loss is another CPU's step in the same conversation */

/* A FIN or RST that another CPU entered in the copy left behind while this one was copying it: what it
 * changed there, it changes in the moved copy, which may be an orphan or further on by now. */
static __always_inline void catch_up(const struct sighting *s, const struct xf_flow *flow,
				     struct xf_flow *moved, union xf_status copied, enum move why)
{
	union xf_status late = moved_status(s, status_now(flow), why), now = status_now(moved), next, met;

	if (late.word == copied.word || !in_phase(flow, XF_PHASE_ENDED) || !is_of(flow, &s->key))
		return; /* deleted by another CPU meanwhile, and perhaps another flow's: what was read may be
			   its */
		/* Unrolled, and without a call: 6.1's verifier takes a loop that closes by falling through
		 * for endless. */
#pragma unroll
	for (int i = 0; i < CATCH_UP_TRIES; i++) {
		next = now;
		next.flags |= late.flags & ~copied.flags;
		if (late.state != copied.state)
			next.state = late.state;
		met = swap_status(s, moved, now, &next);
		if (met.word == now.word)
			break;
		now = met;
	}
	if (met.word == now.word)
		follow_timeout(s, moved, now, next);
}

static __noinline void take_away(const struct sighting *s, struct xf_flow *flow)
{
	if (!delete_ended(&s->key, flow) && in_phase(flow, XF_PHASE_ENDED))
		hand_to_reaper(&s->key, flow, s->now_ns);
}

/*
 * Takes the copy that was left behind away without a record. It may have ended or been evicted meanwhile:
 * then that was a flow of its own, and the moved one counts as created anew. Once it has ended, a packet that
 * finds it follows on the moved one.
 */
static __always_inline void retire(const struct sighting *s, struct xf_flow *flow, struct xf_flow *moved,
				   union xf_status copied, enum move why)
{
	if (!advance(flow, key_tag(&s->key), XF_PHASE_LIVE, XF_PHASE_ENDED)) {
		count_another(s, copied, why);
		return;
	}
	if (moved) {
		move_counters(flow, moved);
		catch_up(s, flow, moved, copied, why);
	}
	take_away(s, flow);
}

/*
 * Puts a copy into `table`; 0 if that refuses, else the copy's status word. Apart from move_flow(), since the
 * copy and what comes after it do not fit the stack together.
 */
static __noinline __u32 insert_copy(void *table, struct sighting *s, struct xf_flow *flow, enum move why)
{
	struct xf_flow copy = {};

	if (!table || !s || !flow)
		return 0;
	copy_for_move(&copy, flow, s, why);
	if (!is_of(flow, &s->key)) /* evicted: what was copied may be another flow's */
		return 0;
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
	table = table_after(s, flow, why);
	copied.word = insert_copy(table, s, flow, why);
	if (!table || !copied.word)
		return false;
	stats = zone_counters(s->key.zone);
	if (stats && why == PROMOTION)
		add(&stats->promoted, 1);
	moved = bpf_map_lookup_elem(table, &s->key);
	if (moved)
		arm_or_orphan(table, s, moved);
	else
		count_error(XF_ERROR_INSERT_VANISHED);
	retire(s, flow, moved, copied, why);
	return true;
}

#endif
