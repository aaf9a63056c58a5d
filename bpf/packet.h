/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes -> struct packet. All bounds checks live here and in packet_ip.h. */
#ifndef XDPFLOW_PACKET_H
#define XDPFLOW_PACKET_H

#include "packet_ip.h"

struct vlan_tag {
	__be16 tci;
	__be16 eth_type;
};

/* Leaves `c` behind the Ethernet header and its tags. */
static __always_inline int parse_ethernet(struct cursor *c, struct packet *pkt, __be16 *eth_type)
{
	struct ethhdr *eth = take(c, sizeof(*eth));
	struct vlan_tag *tag;

	if (!eth)
		return XF_UNPARSED_TRUNCATED;
	*eth_type = eth->h_proto;
	for (int depth = 0; depth <= VLAN_TAGS_MAX; depth++) {
		if (*eth_type != bpf_htons(ETH_P_8021Q) && *eth_type != bpf_htons(ETH_P_8021AD))
			return PARSED;
		if (depth == VLAN_TAGS_MAX)
			break;
		tag = take(c, sizeof(*tag));
		if (!tag)
			return XF_UNPARSED_TRUNCATED;
		if (depth == 0)
			pkt->vlan = bpf_ntohs(tag->tci) & VLAN_ID_MASK;
		*eth_type = tag->eth_type;
	}
	return XF_UNPARSED_VLAN_DEPTH;
}

static __always_inline int parse_tcp(struct cursor *c, struct packet *pkt)
{
	struct tcphdr *tcp = c->pos;
	__u32 announced = c->left, header;

	if (announced < sizeof(*tcp))
		return XF_UNPARSED_BAD_L4;
	if (!take(c, sizeof(*tcp)))
		return XF_UNPARSED_TRUNCATED;
	header = tcp->doff * 4;
	pkt->tcp_flags = ((__u8 *)tcp)[13];
	if (header < sizeof(*tcp) || header > announced ||
	    !(pkt->tcp_flags & (TCP_SYN | TCP_RST | TCP_FIN | TCP_ACK)) ||
	    ((pkt->tcp_flags & TCP_SYN) && (pkt->tcp_flags & (TCP_RST | TCP_FIN))))
		return XF_UNPARSED_BAD_L4;
	pkt->sport = tcp->source;
	pkt->dport = tcp->dest;
	pkt->tcp_seq = bpf_ntohl(tcp->seq);
	pkt->tcp_ack = bpf_ntohl(tcp->ack_seq);
	pkt->has_payload = announced > header;
	return PARSED;
}

static __always_inline int parse_udp(struct cursor *c, struct packet *pkt)
{
	struct udphdr *udp = c->pos;
	__u32 announced = c->left, length;

	if (announced < sizeof(*udp))
		return XF_UNPARSED_BAD_L4;
	if (!take(c, sizeof(*udp)))
		return XF_UNPARSED_TRUNCATED;
	length = bpf_ntohs(udp->len);
	if (length < sizeof(*udp) || (length > announced && !pkt->more))
		return XF_UNPARSED_BAD_L4;
	pkt->sport = udp->source;
	pkt->dport = udp->dest;
	return PARSED;
}

/* <linux/icmp.h> would draw in the C library. Eight bytes, the same for both versions. */
struct icmp_header {
	__u8 type;
	__u8 code;
	__sum16 checksum;
	__be16 id;
	__be16 sequence;
};

enum icmp_class { ICMP_PLAIN, ICMP_WITH_ID, ICMP_ERROR, ICMP_ND };

/* RFC 792. */
static __always_inline enum icmp_class icmp4_class(__u8 type)
{
	switch (type) {
	case 0:	 /* echo reply */
	case 8:	 /* echo */
	case 13: /* timestamp */
	case 14: /* timestamp reply */
		return ICMP_WITH_ID;
	case 3:	 /* destination unreachable */
	case 4:	 /* source quench */
	case 5:	 /* redirect */
	case 11: /* time exceeded */
	case 12: /* parameter problem */
		return ICMP_ERROR;
	default:
		return ICMP_PLAIN;
	}
}

/* RFC 4443: 1 to 4 are errors, 128 and 129 echo. 130 to 137 are multicast listener and neighbour discovery,
 * 143 is MLDv2. */
static __always_inline enum icmp_class icmp6_class(__u8 type)
{
	if (type == 128 || type == 129)
		return ICMP_WITH_ID;
	if (type >= 1 && type <= 4)
		return ICMP_ERROR;
	if ((type >= 130 && type <= 137) || type == 143)
		return ICMP_ND;
	return ICMP_PLAIN;
}

/* Sets the identifier as both ports. */
static __always_inline int parse_icmp(struct cursor *c, struct packet *pkt, bool is_ipv4,
				      enum icmp_class *class)
{
	struct icmp_header *icmp = c->pos;

	if (c->left < sizeof(*icmp))
		return XF_UNPARSED_BAD_L4;
	if (!take(c, sizeof(*icmp)))
		return XF_UNPARSED_TRUNCATED;
	*class = is_ipv4 ? icmp4_class(icmp->type) : icmp6_class(icmp->type);
	if (!pkt->icmp_error) {
		pkt->icmp_type = icmp->type;
		pkt->icmp_code = icmp->code;
	}
	if (*class == ICMP_WITH_ID)
		pkt->sport = pkt->dport = icmp->id;
	return PARSED;
}

static __always_inline bool is_icmp(__u8 l4_proto, bool is_ipv4)
{
	return l4_proto == (is_ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static __always_inline __u16 offset_of(const struct cursor *c)
{
	return c->pos - (void *)(long)c->ctx->data;
}

/*
 * The packet that an ICMP error is about, at `offset`: cut after its IP header and eight bytes, so only its
 * start can be checked. A global function: see histogram_bucket(); and the caller, with two IP headers parsed
 * in it, would take too much of the stack.
 */
__noinline int parse_quoted(struct xdp_md *ctx, struct packet *pkt, __u32 offset, __u32 left, bool is_ipv4)
{
	struct cursor c = {.ctx = ctx, .left = left};
	enum icmp_class class;
	__be16 *ports;
	__u32 bytes;
	int outcome;

	if (!pkt || offset > OFFSET_MAX)
		return XF_UNPARSED_TRUNCATED;
	c.pos = (void *)(long)ctx->data + offset;
	bytes = pkt->bytes;
	outcome = parse_network(&c, pkt, is_ipv4);
	pkt->bytes = bytes;
	pkt->icmp_error = true;
	pkt->l4 = offset_of(&c);
	if (outcome != PARSED || pkt->fragment)
		return outcome;
	if (is_icmp(pkt->l4_proto, is_ipv4))
		return parse_icmp(&c, pkt, is_ipv4, &class);
	if (pkt->l4_proto != IPPROTO_TCP && pkt->l4_proto != IPPROTO_UDP)
		return PARSED;
	ports = take(&c, 2 * sizeof(*ports));
	if (!ports)
		return XF_UNPARSED_TRUNCATED;
	pkt->sport = ports[0];
	pkt->dport = ports[1];
	return PARSED;
}

static __always_inline int parse_transport(struct cursor *c, struct packet *pkt, bool is_ipv4)
{
	enum icmp_class class = ICMP_PLAIN;
	int outcome;

	pkt->l4 = offset_of(c);
	if (pkt->fragment)
		return PARSED;
	if (pkt->l4_proto == IPPROTO_TCP)
		return parse_tcp(c, pkt);
	if (pkt->l4_proto == IPPROTO_UDP)
		return parse_udp(c, pkt);
	if (!is_icmp(pkt->l4_proto, is_ipv4))
		return PARSED;
	outcome = parse_icmp(c, pkt, is_ipv4, &class);
	if (outcome == PARSED && class == ICMP_ERROR)
		return parse_quoted(c->ctx, pkt, offset_of(c), c->left, is_ipv4);
	return outcome == PARSED && class == ICMP_ND ? XF_UNPARSED_ND : outcome;
}

/* Does the frame hold all that its IP header announces? A frame in several buffers holds more than the linear
 * part. */
static __always_inline bool is_whole(struct xdp_md *ctx, void *l3, __u32 bytes)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;

	if (l3 + bytes <= end)
		return true;
	return (__u64)(l3 - data) + bytes <= bpf_xdp_get_buff_len(ctx);
}

/* PARSED, or the enum xf_unparsed why not; `bytes` is then that of the whole frame unless the IP header was
 * read. */
static __always_inline int parse_packet(struct xdp_md *ctx, struct packet *pkt)
{
	struct cursor c = {.ctx = ctx, .pos = (void *)(long)ctx->data};
	void *l3;
	__be16 eth_type;
	bool is_ipv4;
	int outcome;

	pkt->bytes = (void *)(long)ctx->data_end - c.pos;
	outcome = parse_ethernet(&c, pkt, &eth_type);
	if (outcome != PARSED)
		return outcome;
	pkt->l3 = offset_of(&c);
	is_ipv4 = eth_type == bpf_htons(ETH_P_IP);
	if (!is_ipv4 && eth_type != bpf_htons(ETH_P_IPV6))
		return eth_type == bpf_htons(ETH_P_ARP) ? XF_UNPARSED_ARP : XF_UNPARSED_NON_IP;
	l3 = c.pos;
	outcome = parse_network(&c, pkt, is_ipv4);
	if (outcome != PARSED)
		return outcome;
	/* From here on the compiler reads `pkt`. It would keep what is in it a second time, on a stack that
	 * all functions of a packet share (512 bytes). */
	asm volatile("" : : "r"(pkt) : "memory");
	if (!is_whole(ctx, l3, pkt->bytes)) {
		pkt->bytes = (void *)(long)ctx->data_end - l3;
		return XF_UNPARSED_TRUNCATED;
	}
	return parse_transport(&c, pkt, is_ipv4);
}

#endif
