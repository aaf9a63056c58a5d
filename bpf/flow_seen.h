/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A packet of a known flow: count it, let the state follow, shorten the timer where the state says so. */
#ifndef XDPFLOW_FLOW_SEEN_H
#define XDPFLOW_FLOW_SEEN_H

#include "reaper.h"
#include "tcp_state.h"

/* A packet, and what of it the tables need. */
struct sighting {
	struct xf_flow_key key;
	const struct packet *pkt;
	__u64 now_ns; /* coarse clock; not where a packet is glanced at */
	__u8 unused;
	/* enum end. The verifier forgets a byte that is neither zero nor at a multiple of eight, and does not
	 * walk all that follows once for each end. */
	__u8 from;
};

static __always_inline bool is_tcp(const struct xf_flow_key *key)
{
	return key->l4_proto == IPPROTO_TCP && !key->fragment;
}

static __always_inline bool is_reverse(const struct sighting *s, union xf_status status)
{
	return (s->from == HIGH_END) != !!(status.flags & XF_FLOW_HIGH_STARTED);
}

/* The slot of `timeouts` for this state; TCP's are in the order of the states. */
static __always_inline __u8 timeout_slot(const struct xf_flow_key *key, union xf_status status)
{
	__u8 row = status.flags & XF_FLOW_ESTABLISHED ? XF_TABLE_ESTABLISHED * XF_TIMEOUTS : 0;

	if (key->fragment)
		return row + XF_TIMEOUT_GENERIC;
	switch (key->l4_proto) {
	case IPPROTO_TCP:
		if (status.state == XF_STATE_SYN_SENT2)
			return row + XF_TIMEOUT_TCP_SYN_SENT;
		return row + XF_TIMEOUT_TCP_SYN_SENT + (status.state - XF_STATE_SYN_SENT);
	case IPPROTO_UDP:
		return row +
		       (row && status.state == XF_STATE_REPLIED ? XF_TIMEOUT_UDP_STREAM : XF_TIMEOUT_UDP);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return row + XF_TIMEOUT_ICMP;
	default:
		return row + XF_TIMEOUT_GENERIC;
	}
}

static __always_inline void count_packet(struct xf_flow *flow, const struct sighting *s, bool reverse)
{
	struct xf_count *count = reverse ? &flow->reverse : &flow->forward;

	add(&count->packets, 1);
	add(&count->bytes, s->pkt->bytes);
	if (flow->last_seen_ns != s->pkt->seen_ns)
		flow->last_seen_ns = s->pkt->seen_ns;
}

static __always_inline union xf_status status_now(const struct xf_flow *flow)
{
	return (union xf_status){.word = *(const volatile __u32 *)&flow->status.word};
}

/* `after`, with the timeout of its state, in place of `before`; what it met there if another CPU was faster.
 */
static __always_inline union xf_status swap_status(const struct sighting *s, struct xf_flow *flow,
						   union xf_status before, union xf_status *after)
{
	union xf_status met;

	after->timeout = timeout_slot(&s->key, *after);
	met.word = __sync_val_compare_and_swap(&flow->status.word, before.word, after->word);
	return met;
}

/* Behind swap_status(): sooner, if the new state has a shorter timeout. */
static __always_inline void follow_timeout(const struct sighting *s, struct xf_flow *flow,
					   union xf_status before, union xf_status after)
{
	if (after.timeout == before.timeout)
		return;
	if (!(after.flags & XF_FLOW_ORPHAN))
		shorten(flow, before.timeout, after.timeout);
	else if (timeout_ns(after.timeout) < timeout_ns(before.timeout))
		look_sooner(&s->key, flow, s->now_ns);
}

/* Both; what it met if another CPU was faster. */
static __always_inline union xf_status change_status(const struct sighting *s, struct xf_flow *flow,
						     union xf_status before, union xf_status after)
{
	union xf_status met = swap_status(s, flow, before, &after);

	if (met.word == before.word)
		follow_timeout(s, flow, before, after);
	return met;
}

/* The packet is one more of many: next_status() would change nothing. */
static __always_inline bool is_one_more(const struct sighting *s, union xf_status now, bool reverse)
{
	if (reverse && !(now.flags & XF_FLOW_REPLIED))
		return false;
	return !is_tcp(&s->key) ||
	       (now.state == XF_STATE_ESTABLISHED && !(s->pkt->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST)));
}

static __always_inline union xf_status next_status(const struct sighting *s, struct xf_flow *flow,
						   union xf_status now, bool reverse)
{
	if (is_one_more(s, now, reverse))
		return now;
	if (reverse)
		now.flags |= XF_FLOW_REPLIED;
	if (is_tcp(&s->key)) {
		if (reverse && (s->pkt->tcp_flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) &&
		    now.state != XF_STATE_ESTABLISHED && !is_closing(now.state))
			flow->synack_next = s->pkt->tcp_seq + 1;
		now.word = tcp_next(now.word, flow->synack_next, s->pkt, reverse);
		return now;
	}
	if (reverse)
		now.state = XF_STATE_REPLIED;
	return now;
}

enum { FOLLOW_TRIES = 4 }; /* each loss is another CPU's step in the same conversation */

/* Lets the state follow the packet, from whatever another CPU makes of it meanwhile; returns the status word
 * from before. */
static __noinline __u32 follow(const struct sighting *s, const struct packet *pkt, struct xf_flow *flow)
{
	union xf_status before, after, met;

	if (!s || !pkt || !flow)
		return 0;
	before = status_now(flow);
	for (int i = 0; i < FOLLOW_TRIES; i++) {
		after = next_status(s, flow, before, is_reverse(s, before));
		if (after.word == before.word)
			break;
		met = change_status(s, flow, before, after);
		if (met.word == before.word)
			break;
		before = met;
	}
	return before.word;
}

/* Counts the packet on its flow and lets the state follow; returns the status from before. */
static __always_inline union xf_status see(const struct sighting *s, struct xf_flow *flow)
{
	union xf_status before = status_now(flow);
	bool reverse = is_reverse(s, before);

	count_packet(flow, s, reverse);
	if (next_status(s, flow, before, reverse).word != before.word)
		before.word = follow(s, s->pkt, flow);
	return before;
}

#endif
