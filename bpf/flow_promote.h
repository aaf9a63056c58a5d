/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * half-open -> established, only on proof, so that neither a spoofed flood nor the answers to it reach the
 * established table (DESIGN, data plane rule 8).
 */
#ifndef XDPFLOW_FLOW_PROMOTE_H
#define XDPFLOW_FLOW_PROMOTE_H

#include "flow_seen.h"

static __always_inline bool is_busy(const struct sighting *s, const struct xf_flow *flow)
{
	__u32 index = s->key.zone;
	struct xf_zone *zone;

	if ((__s64)(s->now_ns - flow->created_ns) < (__s64)promote_span_ns)
		return false;
	zone = bpf_map_lookup_elem(&zones, &index);
	return zone && flow->forward.packets + flow->reverse.packets >= zone->promote_packets;
}

/* The initiator acknowledges the SYN-ACK, with data or a FIN or nothing; or did so when the established table
 * had no room. */
static __always_inline bool proves_handshake(const struct sighting *s, const struct xf_flow *flow,
					     union xf_status before)
{
	if (is_reverse(s, before) || !(before.flags & XF_FLOW_SYN) || !(before.flags & XF_FLOW_SYNACK))
		return false;
	if (before.state == XF_STATE_ESTABLISHED)
		return true;
	return before.state == XF_STATE_SYN_RECV && (s->pkt->tcp_flags & TCP_ACK) &&
	       acknowledges(s->pkt->tcp_ack, flow->synack_next);
}

static __always_inline bool is_proven_tcp(const struct sighting *s, const struct xf_flow *flow,
					  union xf_status before)
{
	if (s->pkt->tcp_flags & (TCP_SYN | TCP_RST))
		return false;
	if (proves_handshake(s, flow, before))
		return true;
	switch (flow->status.state) {
	case XF_STATE_SYN_RECV: /* a part of the handshake took a way that is not seen */
		return !is_reverse(s, before) && is_busy(s, flow);
	case XF_STATE_ESTABLISHED:
	case XF_STATE_FIN_WAIT:
	case XF_STATE_CLOSE_WAIT:
		return is_busy(s, flow);
	default:
		return false;
	}
}

static __always_inline bool is_proven(const struct sighting *s, const struct xf_flow *flow,
				      union xf_status before)
{
	if (s->key.fragment)
		return false;
	if (is_tcp(&s->key))
		return is_proven_tcp(s, flow, before);
	if (!is_reverse(s, before) && (before.flags & XF_FLOW_REPLIED))
		return true;
	return is_busy(s, flow);
}

/* Leaves the counters at zero: what another CPU still adds is moved later. */
static __always_inline void take_counters(struct xf_flow *from, struct xf_count *forward,
					  struct xf_count *reverse)
{
	forward->packets = __sync_lock_test_and_set(&from->forward.packets, 0);
	forward->bytes = __sync_lock_test_and_set(&from->forward.bytes, 0);
	reverse->packets = __sync_lock_test_and_set(&from->reverse.packets, 0);
	reverse->bytes = __sync_lock_test_and_set(&from->reverse.bytes, 0);
}

static __always_inline void add_counters(struct xf_flow *to, const struct xf_count *forward,
					 const struct xf_count *reverse)
{
	add(&to->forward.packets, forward->packets);
	add(&to->forward.bytes, forward->bytes);
	add(&to->reverse.packets, reverse->packets);
	add(&to->reverse.bytes, reverse->bytes);
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

enum { STALE_TRIES = 16 };

/* Eviction leaves the victim's item in the queue. Looks at the oldest one: 1 if that gave its place away. */
static long drop_stale(__u32 i, void *unused)
{
	struct xf_zone_stats *stats;
	struct xf_orphan item;
	struct xf_flow *flow;
	void *table;

	if (bpf_map_pop_elem(&orphans, &item))
		return 1;
	table = flow_table(item.key.zone, item.table);
	flow = table ? bpf_map_lookup_elem(table, &item.key) : NULL;
	if (flow && flow->created_ns == item.created_ns && !in_phase(flow, XF_PHASE_REAPING) &&
	    !bpf_map_push_elem(&orphans, &item, 0))
		return 0;
	stats = zone_counters(item.key.zone);
	if (stats)
		add(&stats->adopted, 1);
	return 1;
}

static __always_inline long push_orphan(const struct xf_orphan *item)
{
	if (!bpf_map_push_elem(&orphans, item, 0))
		return 0;
	bpf_loop(STALE_TRIES, drop_stale, NULL, 0);
	return bpf_map_push_elem(&orphans, item, 0);
}

/* Gives a new entry its timer, or to the reaper's sweep if there is none to be had. */
static __always_inline void arm_or_orphan(void *table, enum xf_table which, const struct sighting *s,
					  struct xf_flow *flow)
{
	struct xf_orphan item = {.key = s->key, .created_ns = flow->created_ns, .table = which};
	struct xf_zone_stats *stats;
	__u8 slot = flow->status.timeout;

	if (!arm(table, flow, timeout_ns(slot) + coarse_lag_ns())) {
		shorten_if_changed(flow, slot);
		return;
	}
	__sync_fetch_and_or(&flow->status.word, orphan_bit());
	if (push_orphan(&item)) {
		count_error(XF_ERROR_ORPHAN_PUSH);
		return;
	}
	stats = zone_counters(s->key.zone);
	if (stats)
		add(&stats->orphaned, 1);
	wake_reaper(s->now_ns);
}

/* What a half-open flow's status becomes in the established table. */
static __always_inline union xf_status established_status(const struct sighting *s, union xf_status status)
{
	status.flags = (status.flags & ~XF_FLOW_ORPHAN) | XF_FLOW_ESTABLISHED;
	if (status.state == XF_STATE_SYN_RECV)
		status.state = XF_STATE_ESTABLISHED;
	status.timeout = timeout_slot(&s->key, status);
	return status;
}

static __always_inline void copy_for_promotion(struct xf_flow *copy, struct xf_flow *flow,
					       const struct sighting *s)
{
	copy->phase = key_tag(&s->key) << 8 | XF_PHASE_LIVE;
	copy->status = established_status(s, status_now(flow));
	copy->last_seen_ns = flow->last_seen_ns;
	copy->created_ns = flow->created_ns;
	copy->icmp_errors = flow->icmp_errors;
	take_counters(flow, &copy->forward, &copy->reverse);
}

/*
 * Takes the half-open copy away without a record. It may have ended or been evicted meanwhile: then that was
 * a flow of its own, and the promoted one counts as created anew.
 */
static __always_inline void retire_half_open(void *half_open, const struct sighting *s, struct xf_flow *flow,
					     struct xf_flow *promoted)
{
	struct xf_zone_stats *stats = zone_counters(s->key.zone);
	struct xf_count forward, reverse;
	__u32 tag = key_tag(&s->key);

	if (stats)
		add(&stats->promoted, 1);
	if (!advance(flow, tag, XF_PHASE_LIVE, XF_PHASE_ENDED)) {
		if (stats)
			add(&stats->created, 1);
		return;
	}
	take_counters(flow, &forward, &reverse);
	if (promoted)
		add_counters(promoted, &forward, &reverse);
	if (!delete_ended(half_open, &s->key, flow) && in_phase(flow, XF_PHASE_ENDED))
		hand_to_reaper(&s->key, flow, s->now_ns);
}

/* A FIN or RST that another CPU entered in the half-open copy while this one was copying it. */
static __always_inline void catch_up(const struct sighting *s, const struct xf_flow *flow,
				     struct xf_flow *promoted, union xf_status copied)
{
	union xf_status late = established_status(s, status_now(flow));

	if (late.word != copied.word)
		change_status(s, promoted, copied, late);
}

/*
 * Puts a copy into the established table; 0 if that refuses, else the copy's status word. Apart from
 * promote(), since the copy and what comes after it do not fit the stack together.
 */
static __noinline __u32 insert_established(struct sighting *s, struct xf_flow *flow)
{
	struct xf_flow copy = {};
	void *established;

	if (!s || !flow)
		return 0;
	established = flow_table(s->key.zone, XF_TABLE_ESTABLISHED);
	if (!established)
		return 0;
	copy_for_promotion(&copy, flow, s);
	if (!insert(established, &s->key, &copy))
		return copy.status.word;
	add_counters(flow, &copy.forward, &copy.reverse);
	return 0;
}

/* The packet is counted already; if the established table refuses, the flow stays where it is. */
static __noinline void promote(struct sighting *s, struct xf_flow *flow)
{
	void *established, *half_open;
	struct xf_flow *promoted;
	union xf_status copied;

	if (!s || !flow)
		return;
	established = flow_table(s->key.zone, XF_TABLE_ESTABLISHED);
	half_open = flow_table(s->key.zone, XF_TABLE_HALF_OPEN);
	copied.word = insert_established(s, flow);
	if (!established || !half_open || !copied.word)
		return;
	promoted = bpf_map_lookup_elem(established, &s->key);
	if (promoted)
		arm_or_orphan(established, XF_TABLE_ESTABLISHED, s, promoted);
	else
		count_error(XF_ERROR_INSERT_VANISHED);
	retire_half_open(half_open, s, flow, promoted);
	if (promoted)
		catch_up(s, flow, promoted, copied);
}

#endif
