/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A packet that answers a probe, or says that it cannot be answered: settles the probe where it arrives. */
#ifndef XDPFLOW_PROBE_REPLY_H
#define XDPFLOW_PROBE_REPLY_H

#include "probe_packet.h"
#include "target.h"

enum reply {
	NO_REPLY,	/* somebody else's packet */
	REPLY,		/* ours, whether it settled a probe or came too late */
	REPLY_TO_RESET, /* ours; leaves a connection half-open at the other end */
};

/* What a packet says about the probe that it is about. */
enum says {
	NOTHING, /* not about a probe of ours after all */
	ALIVE,
	NOT_WELL,
	TOO_LATE,
};

/* One packet that may be about a probe. */
struct answer {
	struct xdp_md *ctx;
	const struct packet *pkt;
	const struct xf_target_config *config;
	const struct xf_health_control *control;
	__u32 index;
	__u32 sequence;
	__u8 cause;
	bool resets;
};

static __always_inline bool may_be_reply(const struct packet *pkt, int unparsed)
{
	struct xf_health_control *control = health_control();

	if (!control)
		return false;
	if (unparsed == PARSED)
		return is_own_port(control, pkt->icmp_error ? pkt->sport : pkt->dport);
	return control->neighbours && (unparsed == XF_UNPARSED_ARP || unparsed == XF_UNPARSED_ND);
}

static __always_inline bool arp_sender(struct xdp_md *ctx, const struct packet *pkt, struct xf_addr *sender)
{
	struct arp_packet arp;

	if (bpf_xdp_load_bytes(ctx, pkt->l3, &arp, sizeof(arp)))
		return false;
	if (arp.operation != bpf_htons(ARP_REPLY) || arp.protocol != bpf_htons(ETH_P_IP) ||
	    arp.hardware_size != 6 || arp.protocol_size != 4)
		return false;
	set_mapped(sender, 0);
	__builtin_memcpy(&sender->word[3], arp.sender, sizeof(arp.sender));
	return true;
}

/* RFC 4861, section 7.1.2: only what was sent on this link has the full hop limit. */
static __always_inline bool nd_sender(struct xdp_md *ctx, const struct packet *pkt, struct xf_addr *sender)
{
	__u8 hop_limit = 0;

	if (pkt->icmp_type != ND_ADVERTISEMENT ||
	    bpf_xdp_load_bytes(ctx, pkt->l3 + IPV6_HOP_LIMIT_OFFSET, &hop_limit, sizeof(hop_limit)) ||
	    hop_limit != ND_HOP_LIMIT)
		return false;
	return !bpf_xdp_load_bytes(ctx, pkt->l4 + sizeof(struct icmp_header), sender, sizeof(*sender));
}

static __always_inline bool probe_of(const struct packet *pkt, __u8 *probe)
{
	switch (pkt->l4_proto) {
	case IPPROTO_TCP:
		*probe = XF_PROBE_TCP;
		return true;
	case IPPROTO_UDP:
		*probe = XF_PROBE_UDP;
		return true;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		*probe = XF_PROBE_ICMP;
		return true;
	default:
		return false;
	}
}

/* The ports of ICMP are its identifier, no part of the key. */
static __always_inline bool make_probe_key(struct xdp_md *ctx, const struct packet *pkt, int unparsed,
					   struct xf_probe_key *key)
{
	bool quoted = pkt->icmp_error;

	if (unparsed == XF_UNPARSED_ARP || unparsed == XF_UNPARSED_ND) {
		key->probe = XF_PROBE_ARP;
		return unparsed == XF_UNPARSED_ARP ? arp_sender(ctx, pkt, &key->peer)
						   : nd_sender(ctx, pkt, &key->peer);
	}
	key->peer = quoted ? pkt->dst : pkt->src;
	key->own = quoted ? pkt->src : pkt->dst;
	if (!probe_of(pkt, &key->probe))
		return false;
	if (key->probe != XF_PROBE_ICMP)
		key->peer_port = quoted ? pkt->dport : pkt->sport;
	return true;
}

/* Those that tell of a destination that cannot be reached: RFC 792, RFC 4443. "Too big" is not one of them.
 */
static __always_inline bool is_unreachable(const struct packet *pkt)
{
	if (pkt->l4_proto != IPPROTO_ICMPV6 && is_mapped(&pkt->dst))
		return (pkt->icmp_type == 3 && pkt->icmp_code != 4) || pkt->icmp_type == 11 ||
		       pkt->icmp_type == 12;
	return pkt->icmp_type == 1 || pkt->icmp_type == 3 || pkt->icmp_type == 4;
}

static __always_inline bool is_from_turn(const struct answer *a, __be16 own_port)
{
	return bpf_ntohs(own_port) == own_port_of(a->control, a->index, a->sequence);
}

/* The quote has at least eight bytes: of ICMP all that was sent but what it carries, of TCP the sequence
 * number. */
static __always_inline enum says error_says(struct answer *a)
{
	struct echo sent;
	struct icmp_header quoted;
	__be32 start;

	a->cause = XF_CAUSE_ICMP_ERROR;
	if (!is_unreachable(a->pkt))
		return NOTHING;
	if (!is_from_turn(a, a->pkt->sport))
		return TOO_LATE;
	if (a->config->probe == XF_PROBE_UDP)
		return NOT_WELL;
	if (bpf_xdp_load_bytes(a->ctx, a->pkt->l4, &quoted, sizeof(quoted)))
		return NOTHING;
	if (a->config->probe == XF_PROBE_TCP) {
		__builtin_memcpy(&start, (__u8 *)&quoted + 4, sizeof(start));
		return bpf_ntohl(start) == (__u32)token_of(a->index, a->sequence) ? NOT_WELL : TOO_LATE;
	}
	make_echo(&sent, a->config, a->control, a->index, a->sequence);
	return *(__u64 *)&sent.head == *(__u64 *)&quoted ? NOT_WELL : TOO_LATE;
}

static __always_inline enum says echo_says(struct answer *a)
{
	struct echo echo;
	__u32 sequence;

	if (a->pkt->icmp_type != 0 && a->pkt->icmp_type != 129) /* echo reply: RFC 792, RFC 4443 */
		return NOTHING;
	if (bpf_xdp_load_bytes(a->ctx, a->pkt->l4, &echo, sizeof(echo)) || echo.index != bpf_htonl(a->index))
		return NOTHING;
	sequence = bpf_ntohl(echo.sequence);
	if (echo.token != token_of(a->index, sequence))
		return NOTHING;
	return sequence == a->sequence ? ALIVE : TOO_LATE;
}

/* What is no answer to the last SYN belongs to one before: the stack, which knows of none, ends that with a
 * RST of its own, should ours have been lost. */
static __always_inline enum says tcp_says(struct answer *a)
{
	const struct packet *pkt = a->pkt;
	bool answers = (pkt->tcp_flags & TCP_ACK) && is_from_turn(a, pkt->dport) &&
		       pkt->tcp_ack - 1 == (__u32)token_of(a->index, a->sequence);

	a->resets = !(pkt->tcp_flags & TCP_RST);
	if (!answers)
		return TOO_LATE;
	if (pkt->tcp_flags & TCP_SYN)
		return ALIVE;
	a->cause = XF_CAUSE_REFUSED;
	if (!(pkt->tcp_flags & TCP_RST))
		return NOTHING;
	return a->config->refused_is_up ? ALIVE : NOT_WELL;
}

/* Of a config that expects something: 1 to XF_EXPECT_MAX, and 6.1's verifier sees that it is not 0. */
static __always_inline __u32 expected_length(const struct xf_target_config *config)
{
	__u32 last = config->expect_length - 1;

	barrier_var(last);
	return (last & (XF_EXPECT_MAX - 1)) + 1;
}

/* Apart from take_reply() for the sake of the stack. */
static __noinline enum says udp_says(struct answer *a)
{
	__u64 begins[XF_EXPECT_MAX / sizeof(__u64)] = {};
	const __u64 *expect = (const void *)a->config->expect;
	struct udphdr udp;
	__u32 length;

	if (!is_from_turn(a, a->pkt->dport))
		return TOO_LATE;
	if (!a->config->expect_length)
		return ALIVE;
	a->cause = XF_CAUSE_MISMATCH;
	length = expected_length(a->config);
	/* A short frame is padded with zeros, which are no payload. */
	if (bpf_xdp_load_bytes(a->ctx, a->pkt->l4, &udp, sizeof(udp)) ||
	    bpf_ntohs(udp.len) < sizeof(udp) + length ||
	    bpf_xdp_load_bytes(a->ctx, a->pkt->l4 + sizeof(udp), begins, length))
		return NOT_WELL;
	/* Both are zero beyond the length. */
	for (__u32 i = 0; i < sizeof(begins) / sizeof(*begins); i++)
		if (begins[i] != expect[i])
			return NOT_WELL;
	a->cause = XF_CAUSE_REPLY;
	return ALIVE;
}

static __always_inline enum says what_it_says(struct answer *a)
{
	a->cause = XF_CAUSE_REPLY;
	if (a->config->probe == XF_PROBE_ARP)
		return ALIVE;
	if (a->pkt->icmp_error)
		return error_says(a);
	switch (a->config->probe) {
	case XF_PROBE_TCP:
		return tcp_says(a);
	case XF_PROBE_UDP:
		return udp_says(a);
	default:
		return echo_says(a);
	}
}

/* A probe that waited long between being built and being sent has no RTT that would mean anything. */
static __always_inline __u64 rtt_of(const struct xf_target *target, const struct xf_target_config *config,
				    __u64 now_ns)
{
	__u64 rtt = now_ns - target->built_ns;

	return rtt > config->timeout_ns ? 0 : rtt;
}

static __always_inline void count_late(struct xf_target *target)
{
	__sync_fetch_and_add(&target->results[XF_RESULT_LATE], 1);
}

/* Late is what comes when its probe has been judged without it; a second copy of an answer is neither. True
 * if it settled the probe. */
static __always_inline bool take_in(struct answer *a, struct xf_target *target, enum says says)
{
	struct probe_outcome o = {
		.sequence = a->sequence,
		.result = says == ALIVE ? XF_RESULT_OK : XF_RESULT_UNREACHABLE,
		.cause = a->cause,
		.now_ns = bpf_ktime_get_ns(),
	};
	bool failed_already = target->error != XF_CAUSE_NONE;

	if (says == TOO_LATE) {
		count_late(target);
		return false;
	}
	if (a->pkt->icmp_error) {
		o.icmp_type = a->pkt->icmp_type;
		o.icmp_code = a->pkt->icmp_code;
	} else {
		o.rtt_ns = rtt_of(target, a->config, o.now_ns);
	}
	if (!settle(a->index, target, &o)) {
		if (failed_already && says == ALIVE && a->config->probe != XF_PROBE_ARP)
			count_late(target);
		return false;
	}
	if (o.rtt_ns) {
		observe(XF_HISTOGRAM_PROBE_RTT, o.rtt_ns);
		observe_in(bpf_map_lookup_elem(&target_rtts, &a->index), o.rtt_ns);
	}
	return true;
}

enum { NO_TARGET = 0 };

/* The target whose reply the packet may be. Apart from take_reply() for the sake of the stack. */
static __noinline __u32 replying_target(struct xdp_md *ctx, const struct packet *pkt, int unparsed)
{
	struct xf_probe_key key = {};
	__u32 *index;

	if (!pkt || !make_probe_key(ctx, pkt, unparsed, &key))
		return NO_TARGET;
	index = bpf_map_lookup_elem(&probe_keys, &key);
	return index ? *index : NO_TARGET;
}

/* For a packet of which may_be_reply() is true; an enum reply. Global, for the verifier's sake: see
 * track_here(). */
__noinline int take_reply(struct xdp_md *ctx, struct packet *pkt, int unparsed)
{
	struct answer a = {.ctx = ctx, .pkt = pkt, .control = health_control()};
	struct xf_target *target;
	enum says says;

	if (!pkt || !a.control)
		return NO_REPLY;
	a.index = replying_target(ctx, pkt, unparsed);
	if (a.index == NO_TARGET)
		return NO_REPLY;
	a.config = config_of(a.index);
	target = target_of(a.index);
	if (!a.config || !target)
		return NO_REPLY;
	a.sequence = target->sequence;
	says = what_it_says(&a);
	if (says == NOTHING)
		return NO_REPLY;
	if (take_in(&a, target, says) && a.resets)
		return REPLY_TO_RESET;
	return a.config->probe == XF_PROBE_ARP ? NO_REPLY : REPLY;
}

#endif
