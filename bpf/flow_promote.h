/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * half-open -> established, only on proof, so that neither a spoofed flood nor the answers to it reach the
 * established table (DESIGN, data plane rule 8).
 */
#ifndef XDPFLOW_FLOW_PROMOTE_H
#define XDPFLOW_FLOW_PROMOTE_H

#include "flow_move.h"

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

/* The packet is counted already; if the established table refuses, the flow stays where it is. */
static __always_inline void promote(struct sighting *s, struct xf_flow *flow)
{
	move_flow(s, flow, PROMOTION);
}

#endif
