// SPDX-License-Identifier: GPL-2.0-or-later
/* xdpflow, but for one thing: every packet sets its flow's timer anew, as is usually done. */
#define see	     see_lazily
#define count_packet count_packet_lazily
#include "flow_seen.h"
#undef count_packet
#undef see

/* Of a flow that changes in nothing else. */
static __always_inline void count_packet(struct xf_flow *flow, const struct sighting *s, bool reverse)
{
	count_packet_lazily(flow, s, reverse);
	start_timer(flow, timeout_ns(flow->status.timeout), s->pkt->seen_ns);
}

static __always_inline union xf_status see(const struct sighting *s, struct xf_flow *flow)
{
	union xf_status before = see_lazily(s, flow);

	start_timer(flow, timeout_ns(flow->status.timeout), s->now_ns);
	return before;
}

#include "xdpflow.bpf.c"
