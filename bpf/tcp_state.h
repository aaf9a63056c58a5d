/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flags + direction -> state. The states are nf_conntrack's; the transitions use no window, so that loss,
 * retransmission, reordering and a half of the conversation that is never seen do no harm.
 */
#ifndef XDPFLOW_TCP_STATE_H
#define XDPFLOW_TCP_STATE_H

#include "packet.h"

/* How far the first acknowledgment may be beyond the SYN-ACK: data sent with TCP Fast Open (RFC 7413) before
 * it. */
enum { FIRST_ACK_WINDOW = 65536 };

static __always_inline bool is_closing(__u8 state)
{
	return state >= XF_STATE_FIN_WAIT && state <= XF_STATE_CLOSE;
}

/* The state of a flow whose first packet this is; anything but a SYN is a pick-up in mid-stream. */
static __always_inline __u8 tcp_first_state(__u8 tcp_flags)
{
	if (tcp_flags & TCP_RST)
		return XF_STATE_CLOSE;
	if (tcp_flags & TCP_SYN)
		return tcp_flags & TCP_ACK ? XF_STATE_SYN_RECV : XF_STATE_SYN_SENT;
	return tcp_flags & TCP_FIN ? XF_STATE_FIN_WAIT : XF_STATE_ESTABLISHED;
}

static __always_inline __u8 after_syn(__u8 state, bool ack, bool reverse)
{
	if (state != XF_STATE_SYN_SENT && state != XF_STATE_SYN_SENT2)
		return state;
	if (ack)
		return XF_STATE_SYN_RECV;
	return reverse ? XF_STATE_SYN_SENT2 : state;
}

static __always_inline __u8 after_fin(__u8 state, __u16 flags)
{
	if ((flags & XF_FLOW_FIN_FORWARD) && (flags & XF_FLOW_FIN_REVERSE))
		return state == XF_STATE_TIME_WAIT ? state : XF_STATE_LAST_ACK;
	return state == XF_STATE_CLOSE_WAIT ? state : XF_STATE_FIN_WAIT;
}

/* A RST that the other end ignored: what the flow was before it. Its handshake proves nothing any more. */
static __always_inline union xf_status revived(union xf_status closed)
{
	__u16 fins = closed.flags & (XF_FLOW_FIN_FORWARD | XF_FLOW_FIN_REVERSE);

	closed.flags &= ~XF_FLOW_SYN;
	if (fins == (XF_FLOW_FIN_FORWARD | XF_FLOW_FIN_REVERSE))
		closed.state = XF_STATE_LAST_ACK;
	else
		closed.state = fins ? XF_STATE_FIN_WAIT : XF_STATE_ESTABLISHED;
	return closed;
}

/* Neither SYN, FIN nor RST, before the connection stands. `proves`: the responder's SYN-ACK is acknowledged.
 */
static __always_inline __u8 after_handshake_ack(union xf_status now, bool reverse, bool proves)
{
	switch (now.state) {
	case XF_STATE_SYN_SENT: /* the initiator goes on: the SYN-ACK took a way that is not seen */
		return reverse ? now.state : XF_STATE_ESTABLISHED;
	case XF_STATE_SYN_RECV:
		if (now.flags & XF_FLOW_SYNACK)
			return !reverse && proves ? XF_STATE_ESTABLISHED : now.state;
		return XF_STATE_ESTABLISHED;
	default:
		return XF_STATE_ESTABLISHED; /* SYN_SENT2: both ends opened, both SYNs were seen */
	}
}

static __always_inline __u8 after_closing_ack(union xf_status now, bool reverse)
{
	__u16 own_fin = reverse ? XF_FLOW_FIN_REVERSE : XF_FLOW_FIN_FORWARD;

	switch (now.state) {
	case XF_STATE_FIN_WAIT:
		if (!(now.flags & own_fin))
			return XF_STATE_CLOSE_WAIT;
		/* Only one end is seen: this acknowledges the other's invisible FIN. */
		return now.flags & XF_FLOW_REPLIED ? XF_STATE_FIN_WAIT : XF_STATE_TIME_WAIT;
	case XF_STATE_LAST_ACK:
		return XF_STATE_TIME_WAIT;
	default:
		return now.state;
	}
}

static __always_inline bool acknowledges(__u32 ack, __u32 synack_next)
{
	return ack - synack_next < FIRST_ACK_WINDOW;
}

/* State and flags after this packet; `word` is what they were, REPLIED already set if it is a reply. */
__noinline __u32 tcp_next(__u32 word, __u32 synack_next, const struct packet *pkt, bool reverse)
{
	union xf_status now = {.word = word}, next = now;

	if (!pkt)
		return word;
	if (pkt->tcp_flags & TCP_RST) {
		next.state = XF_STATE_CLOSE;
	} else if (pkt->tcp_flags & TCP_SYN) {
		next.state = after_syn(now.state, pkt->tcp_flags & TCP_ACK, reverse);
		if (next.state == XF_STATE_SYN_RECV && reverse && (pkt->tcp_flags & TCP_ACK))
			next.flags |= XF_FLOW_SYNACK;
	} else if (now.state == XF_STATE_CLOSE) {
		if (pkt->has_payload)
			next = revived(now);
	} else if (pkt->tcp_flags & TCP_FIN) {
		next.flags |= reverse ? XF_FLOW_FIN_REVERSE : XF_FLOW_FIN_FORWARD;
		next.state = after_fin(now.state, next.flags);
	} else if (is_closing(now.state)) {
		next.state = after_closing_ack(now, reverse);
	} else if (now.state != XF_STATE_ESTABLISHED) {
		next.state = after_handshake_ack(now, reverse, acknowledges(pkt->tcp_ack, synack_next));
	}
	return next.word;
}

#endif
