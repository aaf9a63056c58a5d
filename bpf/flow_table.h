/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Find or create the flow of a packet. */
#ifndef XDPFLOW_FLOW_TABLE_H
#define XDPFLOW_FLOW_TABLE_H

#include "flow_promote.h"

enum found {
	NOT_FOUND,
	FOUND,
	VANISHING, /* somebody is deleting it just now */
};

/* `now_ns` may be coarse: early, so that nothing is overdue too soon. */
static __always_inline bool is_overdue(const struct xf_flow *flow, __u64 now_ns)
{
	return left_ns(flow, now_ns) < 0;
}

/* A SYN on a closing flow opens another one. Of a flow with one visible end, so does that end's SYN-ACK. */
static __always_inline bool is_replaced(const struct sighting *s, const struct xf_flow *flow)
{
	union xf_status status = flow->status;

	if (!is_tcp(&s->key) || !(s->pkt->tcp_flags & TCP_SYN) || !is_closing(status.state))
		return false;
	return !(s->pkt->tcp_flags & TCP_ACK) ||
	       (!(status.flags & XF_FLOW_REPLIED) && !is_reverse(s, status));
}

/* Ends the flow if it still lives, and deletes it: allowed here, in the packet path (DESIGN, data plane rule
 * 6). */
static __noinline enum found make_room(struct sighting *s, struct xf_flow *flow, enum xf_reason reason)
{
	if (!s || !flow)
		return VANISHING;
	/* Another CPU may have put a new flow with the same key in its place already. */
	if (reason == XF_REASON_REPLACED || is_overdue(flow, s->now_ns))
		end_flow(&s->key, flow, reason, s->now_ns);
	if (delete_ended(&s->key, flow))
		return NOT_FOUND;
	if (in_phase(flow, XF_PHASE_ENDED))
		hand_to_reaper(&s->key, flow, s->now_ns);
	return VANISHING;
}

/* An entry that has ended, or should have by now, is as good as gone. */
static __always_inline enum found find(struct sighting *s, enum xf_table which, struct xf_flow **flow)
{
	void *table = flow_table(s->key.zone, which);

	*flow = table ? bpf_map_lookup_elem(table, &s->key) : NULL;
	if (!*flow)
		return NOT_FOUND;
	if (in_phase(*flow, XF_PHASE_REAPING))
		return VANISHING;
	if (in_phase(*flow, XF_PHASE_ENDED) || is_overdue(*flow, s->now_ns))
		return make_room(s, *flow, reason_of((*flow)->status));
	if (is_replaced(s, *flow))
		return make_room(s, *flow, XF_REASON_REPLACED);
	return FOUND;
}

/* As find(), without a step towards anybody's end: NULL where there is no flow to go on with. */
static __always_inline struct xf_flow *live_flow_in(void *table, const struct sighting *s)
{
	struct xf_flow *flow = table ? bpf_map_lookup_elem(table, &s->key) : NULL;

	return flow && in_phase(flow, XF_PHASE_LIVE) && !is_overdue(flow, s->now_ns) ? flow : NULL;
}

/* The status of a flow whose first packet this is. */
static __always_inline union xf_status first_status(const struct sighting *s)
{
	union xf_status status = {.state = XF_STATE_UNREPLIED};

	if (s->from == HIGH_END)
		status.flags |= XF_FLOW_HIGH_STARTED;
	if (is_tcp(&s->key)) {
		status.state = tcp_first_state(s->pkt->tcp_flags);
		if (status.state == XF_STATE_SYN_SENT)
			status.flags |= XF_FLOW_SYN;
		if (s->pkt->tcp_flags & TCP_FIN)
			status.flags |= XF_FLOW_FIN_FORWARD;
	}
	status.timeout = timeout_slot(&s->key, status);
	return status;
}

/* As insert(), of a new flow with this packet as its first; apart from create() for the sake of the stack. */
static __noinline long insert_first(void *table, struct sighting *s, const struct packet *pkt)
{
	struct xf_flow first = {};

	if (!table || !s || !pkt)
		return -EINVAL;
	first.phase = key_tag(&s->key) << 8 | XF_PHASE_LIVE;
	first.status = first_status(s);
	first.forward.packets = 1;
	first.forward.bytes = pkt->bytes;
	first.last_seen_ns = first.created_ns = s->now_ns;
	return insert(table, &s->key, &first);
}

static __noinline __u32 create(struct sighting *s, const struct packet *pkt)
{
	struct xf_zone_stats *stats;
	struct xf_flow *flow;
	void *table;
	long err;

	if (!s)
		return XF_UNTRACKED_NO_ENTRY;
	table = flow_table(s->key.zone, XF_TABLE_HALF_OPEN);
	err = insert_first(table, s, pkt);
	if (!table || (err && err != -EEXIST))
		return XF_UNTRACKED_NO_ENTRY;
	flow = bpf_map_lookup_elem(table, &s->key);
	if (err) { /* another CPU was first */
		if (!flow || !in_phase(flow, XF_PHASE_LIVE))
			return XF_UNTRACKED_REAPING;
		see(s, flow);
		return TRACKED;
	}
	stats = zone_counters(s->key.zone);
	if (stats)
		add(&stats->created, 1);
	if (flow)
		arm_or_orphan(table, s, flow);
	else
		count_error(XF_ERROR_INSERT_VANISHED);
	revive_reaper(s->now_ns);
	return CREATED;
}

static __always_inline bool is_being_resized(__u32 zone)
{
	return former_table(zone, XF_TABLE_ESTABLISHED) || former_table(zone, XF_TABLE_HALF_OPEN);
}

/* About a flow, but none of its packets: counted on it, no reason to make one, no sign of life. */
static __always_inline __u32 count_icmp_error(struct sighting *s, bool all_here)
{
	struct xf_flow *flow;

	for (int which = XF_TABLES - 1; which >= 0; which--) {
		flow = live_flow_in(flow_table(s->key.zone, which), s);
		if (flow) {
			__sync_fetch_and_add(&flow->icmp_errors, 1);
			return TRACKED;
		}
	}
	return all_here || !is_being_resized(s->key.zone) ? XF_UNTRACKED_UNKNOWN_ERROR : MISSED;
}

static __always_inline __u32 track_half_open(struct sighting *s, bool all_here)
{
	struct xf_flow *flow;
	union xf_status before;

	switch (find(s, XF_TABLE_HALF_OPEN, &flow)) {
	case VANISHING:
		return XF_UNTRACKED_REAPING;
	case NOT_FOUND:
		/* Another CPU may have promoted it since this one looked: a second look sees that. */
		if (find(s, XF_TABLE_ESTABLISHED, &flow) == FOUND)
			return XF_UNTRACKED_REAPING;
		return all_here ? create(s, s->pkt) : MISSED;
	case FOUND:
		break;
	}
	before = see(s, flow);
	if (in_phase(flow, XF_PHASE_LIVE)) {
		if (is_proven(s, flow, before))
			promote(s, flow);
		return TRACKED;
	}
	/* Counted already on the copy left behind: another CPU has just promoted it. */
	flow = live_flow_in(flow_table(s->key.zone, XF_TABLE_ESTABLISHED), s);
	if (flow)
		follow(s, s->pkt, flow);
	return TRACKED;
}

/* Most of these open a flow. Whoever looks in the half-open table first needs no second look in the
 * established one. */
static __always_inline bool is_opening(const struct sighting *s)
{
	return is_tcp(&s->key) && (s->pkt->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

enum glance {
	COUNTED, /* on an established flow, of which the packet changes nothing else */
	ABSENT,	 /* no established flow, or most likely none */
	UNCLEAR,
};

/* `key` is that of `s`, which fits into registers if no helper gets its address. That has no `now_ns`: held
 * over the lookup, the verifier follows three times as much. */
static __always_inline enum glance glance_at_established(const struct sighting *s,
							 const struct xf_flow_key *key)
{
	void *table = flow_table(key->zone, XF_TABLE_ESTABLISHED);
	struct xf_flow *flow = table ? bpf_map_lookup_elem(table, key) : NULL;
	union xf_status status;
	bool reverse;

	if (!flow)
		return ABSENT;
	if (!in_phase(flow, XF_PHASE_LIVE) || is_overdue(flow, s->pkt->seen_ns))
		return UNCLEAR;
	status = status_now(flow);
	reverse = is_reverse(s, status);
	if (!is_one_more(s, status, reverse))
		return UNCLEAR;
	count_packet(flow, s, reverse);
	return COUNTED;
}

/*
 * What most packets are, dealt with where they were parsed: where the kernel guards returns, a call takes a
 * tenth of all that such a packet costs.
 */
static __always_inline enum glance glance(const struct packet *pkt, __u32 zone)
{
	struct sighting s = {.pkt = pkt};
	struct xf_flow_key key;

	if (pkt->icmp_error)
		return UNCLEAR;
	s.from = make_key(&key, pkt, zone);
	s.key = key;
	return is_opening(&s) ? ABSENT : glance_at_established(&s, &key);
}

/*
 * All other packets; an enum outcome, or the enum xf_untracked why none. `absent`: no need to look for it
 * among the established flows. `all_here`: no flow can have been left behind in a former table. A global
 * function, so that the verifier walks it once, not once for each way through the parser.
 */
__noinline __u32 track_here(struct packet *pkt, __u32 zone, bool absent, bool all_here)
{
	struct sighting s = {.pkt = pkt};
	struct xf_flow *flow;
	enum found found;
	__u32 outcome;

	if (!pkt || zone >= XF_ZONES_MAX)
		return XF_UNTRACKED_NO_ZONE;
	s.now_ns = pkt->seen_ns;
	s.from = make_key(&s.key, pkt, zone);
	if (pkt->icmp_error)
		return count_icmp_error(&s, all_here);
	found = absent ? NOT_FOUND : find(&s, XF_TABLE_ESTABLISHED, &flow);
	if (found == VANISHING)
		return XF_UNTRACKED_REAPING;
	if (found == FOUND) {
		see(&s, flow);
		return TRACKED;
	}
	outcome = track_half_open(&s, all_here || !is_being_resized(zone));
	if (outcome != XF_UNTRACKED_REAPING)
		return outcome;
	/* Its half-open entry vanished because another CPU has just promoted it. */
	flow = live_flow_in(flow_table(zone, XF_TABLE_ESTABLISHED), &s);
	if (!flow)
		return outcome;
	see(&s, flow);
	return TRACKED;
}

/* For a packet that missed its flow while tables are being resized. One that is overdue stays where it is, to
 * end by its own timer. */
__noinline int bring_flow_over(struct packet *pkt, __u32 zone)
{
	enum xf_table which = XF_TABLE_HALF_OPEN;
	struct sighting s = {};
	struct xf_flow *flow;

	if (!pkt || zone >= XF_ZONES_MAX)
		return 0;
	s.now_ns = pkt->seen_ns;
	make_key(&s.key, pkt, zone);
	/* Looked up again by one call, for the verifier walks the move once for each that finds a flow. */
	if (live_flow_in(former_table(zone, XF_TABLE_ESTABLISHED), &s))
		which = XF_TABLE_ESTABLISHED;
	flow = live_flow_in(former_table(zone, which), &s);
	return flow && move_flow(&s, flow, RESIZE);
}

/* TRACKED or CREATED, or the enum xf_untracked why neither. */
static __always_inline __u32 track(struct packet *pkt, __u32 zone)
{
	enum glance glanced;
	__u32 outcome;

	glanced = glance(pkt, zone);
	if (glanced == COUNTED)
		return TRACKED;
	outcome = track_here(pkt, zone, glanced == ABSENT, false);
	if (outcome != MISSED)
		return outcome;
	bring_flow_over(pkt, zone);
	return track_here(pkt, zone, false, true);
}

#endif
