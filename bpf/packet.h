/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes -> struct packet. All bounds checks live here, and all that differs between IPv4 and IPv6. */
#ifndef XDPFLOW_PACKET_H
#define XDPFLOW_PACKET_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "xdpflow/abi.h"

enum {
	PARSED = -1, /* anything else is an enum xf_unparsed */

	VLAN_TAGS_MAX = 2,
	VLAN_ID_MASK = 0x0fff,
	EXTENSIONS_MAX = 6,

	IPV4_MORE_FRAGMENTS = 0x2000,
	IPV4_OFFSET_MASK = 0x1fff,
	IPV6_OFFSET_MASK = 0xfff8,
	IPV6_MORE_FRAGMENTS = 0x0001,

	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_ACK = 0x10,
};

struct packet {
	struct xf_addr src __attribute__((aligned(8)));
	struct xf_addr dst;
	__be16 sport, dport;
	__u8 l4_proto;
	__u8 tcp_flags;
	bool fragment;	 /* a later fragment: its ports are unknown */
	bool more;	 /* a first fragment: its L4 length is that of the whole */
	bool icmp_error; /* addresses and ports are those of the quoted packet */
	bool has_payload; /* TCP */
	__u16 vlan;	 /* outer id in host order; 0: untagged */
	__u32 bytes;	 /* layer 3, as the IP header says */
	__u32 tcp_seq, tcp_ack; /* host order */
};

/* Moves forward only. `left` is what the IP header announces beyond `pos`: less than what is there if the frame is padded. */
struct cursor {
	void *pos;
	void *end;
	__u32 left;
};

static __always_inline void *take(struct cursor *c, __u32 size)
{
	void *header = c->pos;

	if (header + size > c->end)
		return NULL;
	c->pos = header + size;
	c->left -= size;
	return header;
}

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

static __always_inline void set_mapped(struct xf_addr *addr, __be32 ipv4)
{
	addr->word[0] = 0;
	addr->word[1] = 0;
	addr->word[2] = bpf_htonl(0xffff);
	addr->word[3] = ipv4;
}

/* Such an address never travels in an IPv6 header (RFC 4291, section 2.5.5.2); here it would act on an IPv4 flow. */
static __always_inline bool is_mapped(const struct xf_addr *addr)
{
	return !addr->word[0] && !addr->word[1] && addr->word[2] == bpf_htonl(0xffff);
}

/* Leaves `c` behind the header and its options; `c->left` is what the header announces from there. */
static __always_inline int parse_ipv4(struct cursor *c, struct packet *pkt)
{
	struct iphdr *ip = take(c, sizeof(*ip));
	__u32 header, length, frag;

	if (!ip)
		return XF_UNPARSED_TRUNCATED;
	header = ip->ihl * 4;
	length = bpf_ntohs(ip->tot_len);
	if (ip->version != 4 || header < sizeof(*ip) || length < header)
		return XF_UNPARSED_BAD_IP;
	pkt->bytes = length;
	c->left = length - sizeof(*ip);
	set_mapped(&pkt->src, ip->saddr);
	set_mapped(&pkt->dst, ip->daddr);
	pkt->l4_proto = ip->protocol;
	frag = bpf_ntohs(ip->frag_off);
	pkt->fragment = frag & IPV4_OFFSET_MASK;
	pkt->more = frag & IPV4_MORE_FRAGMENTS;
	if (header > sizeof(*ip) && !take(c, header - sizeof(*ip)))
		return XF_UNPARSED_TRUNCATED;
	return PARSED;
}

struct extension {
	__u8 next;
	__u8 length;
	__be16 frag_off; /* of a fragment header */
	__be32 id;
};

static __always_inline bool is_extension(__u8 type)
{
	return type == IPPROTO_HOPOPTS || type == IPPROTO_ROUTING || type == IPPROTO_DSTOPTS ||
	       type == IPPROTO_FRAGMENT || type == IPPROTO_AH;
}

/* Bytes beyond the first eight: RFC 8200, section 4; AH counts in words (RFC 4302, section 2.2). */
static __always_inline __u32 extension_rest(__u8 type, const struct extension *ext)
{
	if (type == IPPROTO_FRAGMENT)
		return 0;
	return type == IPPROTO_AH ? ext->length * 4 : ext->length * 8;
}

/* Where a chain of extension headers leads. One word, as a function of its own can return. */
union chain {
	struct {
		__u16 offset; /* in the frame, of the upper-layer header */
		__u8 l4_proto;
		__u8 fragment; /* 1: a later fragment */
		__u8 more;     /* 1: a first fragment */
		__s8 outcome;  /* PARSED or enum xf_unparsed */
	};
	__u64 word;
};

enum { OFFSET_MAX = 0x3fff }; /* the verifier wants packet offsets bounded */

/*
 * A global function, so that the verifier walks it once, not once for each path of the callers: the chain of a packet and that
 * of one quoted in an error multiply otherwise.
 */
__noinline __u64 walk_extensions(struct xdp_md *ctx, __u32 offset, __u32 type)
{
	union chain chain = {.l4_proto = type, .outcome = PARSED};
	struct extension ext;

	for (int i = 0; i < EXTENSIONS_MAX && is_extension(chain.l4_proto) && !chain.fragment; i++) {
		if (bpf_xdp_load_bytes(ctx, offset, &ext, sizeof(ext))) {
			chain.outcome = XF_UNPARSED_TRUNCATED;
			return chain.word;
		}
		if (chain.l4_proto == IPPROTO_FRAGMENT) {
			chain.fragment = (ext.frag_off & bpf_htons(IPV6_OFFSET_MASK)) != 0;
			chain.more = (ext.frag_off & bpf_htons(IPV6_MORE_FRAGMENTS)) != 0;
		}
		offset += sizeof(ext) + extension_rest(chain.l4_proto, &ext);
		chain.l4_proto = ext.next;
	}
	if (offset > OFFSET_MAX)
		chain.outcome = XF_UNPARSED_TRUNCATED;
	else if (is_extension(chain.l4_proto) && !chain.fragment)
		chain.outcome = XF_UNPARSED_EXTENSIONS;
	chain.offset = offset;
	return chain.word;
}

/* Leaves `c` at the upper-layer header, or behind the fragment header of a later fragment. */
static __always_inline int skip_extensions(struct xdp_md *ctx, struct cursor *c, struct packet *pkt)
{
	void *data = (void *)(long)ctx->data;
	__u32 offset = c->pos - data;
	union chain chain = {.word = walk_extensions(ctx, offset, pkt->l4_proto)};

	c->left -= chain.offset - offset;
	c->pos = data + (chain.offset & OFFSET_MAX);
	pkt->l4_proto = chain.l4_proto;
	pkt->fragment = chain.fragment;
	pkt->more = chain.more;
	return chain.outcome;
}

/* A jumbogram (RFC 2675: payload length zero) counts as a bad header; only BIG TCP in generic mode makes them. */
static __always_inline int parse_ipv6(struct xdp_md *ctx, struct cursor *c, struct packet *pkt)
{
	struct ipv6hdr *ip = take(c, sizeof(*ip));

	if (!ip)
		return XF_UNPARSED_TRUNCATED;
	if (ip->version != 6)
		return XF_UNPARSED_BAD_IP;
	c->left = bpf_ntohs(ip->payload_len);
	pkt->bytes = sizeof(*ip) + c->left;
	__builtin_memcpy(&pkt->src, &ip->saddr, sizeof(pkt->src));
	__builtin_memcpy(&pkt->dst, &ip->daddr, sizeof(pkt->dst));
	if (is_mapped(&pkt->src) || is_mapped(&pkt->dst))
		return XF_UNPARSED_BAD_IP;
	pkt->l4_proto = ip->nexthdr;
	pkt->fragment = false;
	pkt->more = false;
	return is_extension(pkt->l4_proto) ? skip_extensions(ctx, c, pkt) : PARSED;
}

static __always_inline int parse_network(struct xdp_md *ctx, struct cursor *c, struct packet *pkt, bool is_ipv4)
{
	int outcome = is_ipv4 ? parse_ipv4(c, pkt) : parse_ipv6(ctx, c, pkt);

	if (outcome == PARSED && (__s32)c->left < 0)
		return XF_UNPARSED_BAD_IP;
	return outcome;
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
	case 0: /* echo reply */
	case 8: /* echo */
	case 13: /* timestamp */
	case 14: /* timestamp reply */
		return ICMP_WITH_ID;
	case 3: /* destination unreachable */
	case 4: /* source quench */
	case 5: /* redirect */
	case 11: /* time exceeded */
	case 12: /* parameter problem */
		return ICMP_ERROR;
	default:
		return ICMP_PLAIN;
	}
}

/* RFC 4443: 1 to 4 are errors, 128 and 129 echo. 130 to 137 are multicast listener and neighbour discovery, 143 is MLDv2. */
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
static __always_inline int parse_icmp(struct cursor *c, struct packet *pkt, bool is_ipv4, enum icmp_class *class)
{
	struct icmp_header *icmp = c->pos;

	if (c->left < sizeof(*icmp))
		return XF_UNPARSED_BAD_L4;
	if (!take(c, sizeof(*icmp)))
		return XF_UNPARSED_TRUNCATED;
	*class = is_ipv4 ? icmp4_class(icmp->type) : icmp6_class(icmp->type);
	if (*class == ICMP_WITH_ID)
		pkt->sport = pkt->dport = icmp->id;
	return PARSED;
}

static __always_inline bool is_icmp(__u8 l4_proto, bool is_ipv4)
{
	return l4_proto == (is_ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

/* The packet that an ICMP error is about: cut after its IP header and eight bytes, so only its start can be checked. */
static __always_inline int parse_quoted(struct xdp_md *ctx, struct cursor *c, struct packet *pkt, bool is_ipv4)
{
	enum icmp_class class;
	__be16 *ports;
	__u32 bytes = pkt->bytes;
	int outcome = parse_network(ctx, c, pkt, is_ipv4);

	pkt->bytes = bytes;
	pkt->icmp_error = true;
	if (outcome != PARSED || pkt->fragment)
		return outcome;
	if (is_icmp(pkt->l4_proto, is_ipv4))
		return parse_icmp(c, pkt, is_ipv4, &class);
	if (pkt->l4_proto != IPPROTO_TCP && pkt->l4_proto != IPPROTO_UDP)
		return PARSED;
	ports = take(c, 2 * sizeof(*ports));
	if (!ports)
		return XF_UNPARSED_TRUNCATED;
	pkt->sport = ports[0];
	pkt->dport = ports[1];
	return PARSED;
}

static __always_inline int parse_transport(struct xdp_md *ctx, struct cursor *c, struct packet *pkt, bool is_ipv4)
{
	enum icmp_class class = ICMP_PLAIN;
	int outcome;

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
		return parse_quoted(ctx, c, pkt, is_ipv4);
	return outcome == PARSED && class == ICMP_ND ? XF_UNPARSED_ND : outcome;
}

/* Does the frame hold all that its IP header announces? A frame in several buffers holds more than the linear part. */
static __always_inline bool is_whole(struct xdp_md *ctx, void *l3, __u32 bytes)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;

	if (l3 + bytes <= end)
		return true;
	return (__u64)(l3 - data) + bytes <= bpf_xdp_get_buff_len(ctx);
}

/* PARSED, or the enum xf_unparsed why not; `bytes` is then that of the whole frame unless the IP header was read. */
static __always_inline int parse_packet(struct xdp_md *ctx, struct packet *pkt)
{
	struct cursor c = {.pos = (void *)(long)ctx->data, .end = (void *)(long)ctx->data_end};
	void *l3;
	__be16 eth_type;
	bool is_ipv4;
	int outcome;

	pkt->bytes = c.end - c.pos;
	outcome = parse_ethernet(&c, pkt, &eth_type);
	if (outcome != PARSED)
		return outcome;
	is_ipv4 = eth_type == bpf_htons(ETH_P_IP);
	if (!is_ipv4 && eth_type != bpf_htons(ETH_P_IPV6))
		return eth_type == bpf_htons(ETH_P_ARP) ? XF_UNPARSED_ARP : XF_UNPARSED_NON_IP;
	l3 = c.pos;
	outcome = parse_network(ctx, &c, pkt, is_ipv4);
	if (outcome != PARSED)
		return outcome;
	if (!is_whole(ctx, l3, pkt->bytes)) {
		pkt->bytes = c.end - l3;
		return XF_UNPARSED_TRUNCATED;
	}
	return parse_transport(ctx, &c, pkt, is_ipv4);
}

#endif
