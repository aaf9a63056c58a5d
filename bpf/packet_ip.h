/* SPDX-License-Identifier: GPL-2.0-or-later */
/* struct packet, and the IP headers: all that differs between IPv4 and IPv6. A part of packet.h. */
#ifndef XDPFLOW_PACKET_IP_H
#define XDPFLOW_PACKET_IP_H

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
	bool fragment;		   /* a later fragment: its ports are unknown */
	bool more;		   /* a first fragment: its L4 length is that of the whole */
	bool icmp_error;	   /* addresses and ports are those of the quoted packet */
	bool has_payload;	   /* TCP */
	__u8 icmp_type, icmp_code; /* of the packet itself, also where addresses are quoted */
	__u16 vlan;		   /* outer id in host order; 0: untagged */
	__u16 l3;		/* offset in the frame of the network header, or of what is there instead */
	__u16 l4;		/* of the transport header, in an ICMP error of the quoted one */
	__u32 bytes;		/* layer 3, as the IP header says */
	__u32 tcp_seq, tcp_ack; /* host order */
	__u64 seen_ns;		/* coarse clock */
};

/* Moves forward only. `left` is what the IP header announces beyond `pos`: less than what is there if the
 * frame is padded. */
struct cursor {
	struct xdp_md *ctx;
	void *pos;
	__u32 left;
};

static __always_inline void *take(struct cursor *c, __u32 size)
{
	void *header = c->pos;

	if (header + size > (void *)(long)c->ctx->data_end)
		return NULL;
	c->pos = header + size;
	c->left -= size;
	return header;
}

/* In halves, as they are read back: a word at a time is more for the verifier to keep. */
static __always_inline void set_mapped(struct xf_addr *addr, __be32 ipv4)
{
	__be64 half[2] = {0, bpf_cpu_to_be64(0xffffULL << 32 | bpf_ntohl(ipv4))};

	__builtin_memcpy(addr, half, sizeof(half));
}

/* Such an address never travels in an IPv6 header (RFC 4291, section 2.5.5.2); here it would act on an IPv4
 * flow. */
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
 * A global function, so that the verifier walks it once, not once for each path of the callers: the chain of
 * a packet and that of one quoted in an error multiply otherwise.
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
static __always_inline int skip_extensions(struct cursor *c, struct packet *pkt)
{
	void *data = (void *)(long)c->ctx->data;
	__u32 offset = c->pos - data;
	union chain chain = {.word = walk_extensions(c->ctx, offset, pkt->l4_proto)};

	c->left -= chain.offset - offset;
	c->pos = data + (chain.offset & OFFSET_MAX);
	pkt->l4_proto = chain.l4_proto;
	pkt->fragment = chain.fragment;
	pkt->more = chain.more;
	return chain.outcome;
}

/* A jumbogram (RFC 2675: payload length zero) counts as a bad header; only BIG TCP in generic mode makes
 * them. */
static __always_inline int parse_ipv6(struct cursor *c, struct packet *pkt)
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
	return is_extension(pkt->l4_proto) ? skip_extensions(c, pkt) : PARSED;
}

static __always_inline int parse_network(struct cursor *c, struct packet *pkt, bool is_ipv4)
{
	int outcome = is_ipv4 ? parse_ipv4(c, pkt) : parse_ipv6(c, pkt);

	if (outcome == PARSED && (__s32)c->left < 0)
		return XF_UNPARSED_BAD_IP;
	return outcome;
}

#endif
