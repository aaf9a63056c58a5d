/* SPDX-License-Identifier: GPL-2.0-or-later */
/* struct packet -> key: one family, canonical order. */
#ifndef XDPFLOW_FLOW_KEY_H
#define XDPFLOW_FLOW_KEY_H

#include "packet.h"

/* An address as a number, most significant half first. */
struct ordered {
	__u64 upper, lower;
};

static __always_inline struct ordered in_order(const struct xf_addr *addr)
{
	const __be64 *half = (const __be64 *)addr;

	return (struct ordered){bpf_be64_to_cpu(half[0]), bpf_be64_to_cpu(half[1])};
}

static __always_inline bool source_is_high(const struct packet *pkt)
{
	struct ordered src = in_order(&pkt->src), dst = in_order(&pkt->dst);

	if (src.upper != dst.upper)
		return src.upper > dst.upper;
	if (src.lower != dst.lower)
		return src.lower > dst.lower;
	return bpf_ntohs(pkt->sport) > bpf_ntohs(pkt->dport);
}

enum end { LOW_END = 1, HIGH_END };

/* Fills `key`; from which of its ends the packet comes. */
static __always_inline enum end make_key(struct xf_flow_key *key, const struct packet *pkt, __u8 zone)
{
	bool high = source_is_high(pkt);

	key->low = high ? pkt->dst : pkt->src;
	key->high = high ? pkt->src : pkt->dst;
	key->low_port = high ? pkt->dport : pkt->sport;
	key->high_port = high ? pkt->sport : pkt->dport;
	key->l4_proto = pkt->l4_proto;
	key->zone = zone;
	key->fragment = pkt->fragment;
	key->zero = 0;
	return high ? HIGH_END : LOW_END;
}

/*
 * 24 bits that stand beside the phase. An LRU element may be reused for another flow while somebody still
 * holds a pointer to it: the tag makes that somebody's compare-and-swap fail.
 */
static __always_inline __u32 key_tag(const struct xf_flow_key *key)
{
	const __u64 *word = (const __u64 *)key;
	__u64 mix = 0;

#pragma unroll
	for (int i = 0; i < (int)(sizeof(*key) / sizeof(*word)); i++)
		mix = (mix ^ word[i]) * 0x9e3779b97f4a7c15ULL;
	return mix >> 40;
}

#endif
