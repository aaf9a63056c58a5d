/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * half-open -> established, only on proof, so that neither a spoofed flood nor the answers to it reach the established table
 * (DESIGN, data plane rule 8).
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

static __always_inline bool is_proven(const struct sighting *s, const struct xf_flow *flow, union xf_status before)
{
	union xf_status status = flow->status;

	if (s->key.fragment)
		return false;
	if (!is_tcp(&s->key)) {
		if (!is_reverse(s, before) && (before.flags & XF_FLOW_REPLIED))
			return true;
		return is_busy(s, flow);
	}
	if (status.state != XF_STATE_ESTABLISHED || (s->pkt->tcp_flags & TCP_RST))
		return false;
	if (before.state == XF_STATE_SYN_RECV && (before.flags & XF_FLOW_SYN) && (before.flags & XF_FLOW_SYNACK))
		return true;
	return is_busy(s, flow);
}

/* Leaves the counters at zero: what another CPU still adds is moved later. */
static __always_inline void take_counters(struct xf_flow *from, struct xf_count *forward, struct xf_count *reverse)
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

/* 0, or -EEXIST, or the error of an insert, counted. The table's own copy of `flow` is the one that counts. */
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

/* Gives a new entry its timer, or to the reaper's sweep if there is none to be had. */
static __always_inline void arm_or_orphan(void *table, enum xf_table which, const struct sighting *s, struct xf_flow *flow)
{
	struct xf_orphan item = {.key = s->key, .created_ns = flow->created_ns, .table = which};
	struct xf_zone_stats *stats;

	if (!arm(table, flow, timeout_ns(flow->status.timeout) + coarse_lag_ns()))
		return;
	__sync_fetch_and_or(&flow->status.word, orphan_bit());
	if (bpf_map_push_elem(&orphans, &item, 0)) {
		count_error(XF_ERROR_ORPHAN_PUSH);
		return;
	}
	stats = zone_counters(s->key.zone);
	if (stats)
		add(&stats->orphaned, 1);
	wake_reaper(s->now_ns);
}

static __always_inline void copy_for_promotion(struct xf_flow *copy, struct xf_flow *flow, const struct sighting *s)
{
	copy->phase = key_tag(&s->key) << 8 | XF_PHASE_LIVE;
	copy->status = flow->status;
	copy->status.flags = (copy->status.flags & ~XF_FLOW_ORPHAN) | XF_FLOW_ESTABLISHED;
	copy->status.timeout = timeout_slot(&s->key, copy->status);
	copy->last_seen_ns = flow->last_seen_ns;
	copy->created_ns = flow->created_ns;
	copy->icmp_errors = flow->icmp_errors;
	take_counters(flow, &copy->forward, &copy->reverse);
}

/*
 * Takes the half-open copy away without a record. It may have ended or been evicted meanwhile: then that was a flow of its own,
 * and the promoted one counts as created anew.
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

/* The packet is counted already; if the established table refuses, the flow stays where it is. */
static __noinline void promote(struct sighting *s, struct xf_flow *flow)
{
	void *established, *half_open;
	struct xf_flow copy = {};
	struct xf_flow *promoted;

	if (!s || !flow)
		return;
	established = flow_table(s->key.zone, XF_TABLE_ESTABLISHED);
	half_open = flow_table(s->key.zone, XF_TABLE_HALF_OPEN);
	if (!established || !half_open)
		return;
	copy_for_promotion(&copy, flow, s);
	if (insert(established, &s->key, &copy)) {
		add_counters(flow, &copy.forward, &copy.reverse);
		return;
	}
	promoted = bpf_map_lookup_elem(established, &s->key);
	if (promoted)
		arm_or_orphan(established, XF_TABLE_ESTABLISHED, s, promoted);
	else
		count_error(XF_ERROR_INSERT_VANISHED);
	retire_half_open(half_open, s, flow, promoted);
}

#endif
