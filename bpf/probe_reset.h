/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes of a SYN-ACK the RST that ends the connection which a probe has begun. */
#ifndef XDPFLOW_PROBE_RESET_H
#define XDPFLOW_PROBE_RESET_H

#include "probe_packet.h"

enum { RESET_TTL = 64 };

static __always_inline bool swap_macs(struct xdp_md *ctx)
{
	struct ethhdr eth;
	__u8 mac[ETH_ALEN];

	if (bpf_xdp_load_bytes(ctx, 0, &eth, sizeof(eth)))
		return false;
	__builtin_memcpy(mac, eth.h_dest, sizeof(mac));
	__builtin_memcpy(eth.h_dest, eth.h_source, sizeof(mac));
	__builtin_memcpy(eth.h_source, mac, sizeof(mac));
	return !bpf_xdp_store_bytes(ctx, 0, &eth, sizeof(eth));
}

static __always_inline bool put_reset_ipv4(struct xdp_md *ctx, const struct packet *pkt)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = bpf_htons(sizeof(ip) + sizeof(struct tcphdr)),
		.frag_off = bpf_htons(0x4000), /* don't fragment */
		.ttl = RESET_TTL,
		.protocol = IPPROTO_TCP,
		.saddr = pkt->dst.word[3],
		.daddr = pkt->src.word[3],
	};

	ip.check = checksum(&ip, sizeof(ip), 0);
	return !bpf_xdp_store_bytes(ctx, pkt->l3, &ip, sizeof(ip));
}

static __always_inline bool put_reset_ipv6(struct xdp_md *ctx, const struct packet *pkt)
{
	struct ipv6hdr ip = {
		.version = 6,
		.payload_len = bpf_htons(sizeof(struct tcphdr)),
		.nexthdr = IPPROTO_TCP,
		.hop_limit = RESET_TTL,
	};

	__builtin_memcpy(&ip.saddr, &pkt->dst, sizeof(ip.saddr));
	__builtin_memcpy(&ip.daddr, &pkt->src, sizeof(ip.daddr));
	return !bpf_xdp_store_bytes(ctx, pkt->l3, &ip, sizeof(ip));
}

/* RFC 9293, section 3.5.2: to a segment with an ACK, a RST with its acknowledgment number as sequence number.
 */
static __always_inline bool put_reset_tcp(struct xdp_md *ctx, const struct packet *pkt)
{
	struct tcphdr tcp = {
		.source = pkt->dport,
		.dest = pkt->sport,
		.seq = bpf_htonl(pkt->tcp_ack),
		.doff = sizeof(tcp) / 4,
		.rst = 1,
	};

	tcp.check =
		checksum(&tcp, sizeof(tcp), pseudo_header(&pkt->src, &pkt->dst, IPPROTO_TCP, sizeof(tcp)));
	return !bpf_xdp_store_bytes(ctx, pkt->l4, &tcp, sizeof(tcp));
}

/*
 * 0, and the packet as it was, if it has IP options or extension headers, or no acknowledgment to answer. The
 * frame keeps its length, and what was behind the TCP header is a trailer now: a freplace program may call
 * nothing that moves a packet's ends, in kernels since 6.13 and in the stable ones that took that over.
 */
__noinline int make_reset(struct xdp_md *ctx, struct packet *pkt)
{
	bool is_ipv4;

	if (!pkt || !(pkt->tcp_flags & TCP_ACK))
		return 0;
	is_ipv4 = is_mapped(&pkt->src);
	if (pkt->l4 - pkt->l3 != (is_ipv4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)))
		return 0;
	return swap_macs(ctx) && (is_ipv4 ? put_reset_ipv4(ctx, pkt) : put_reset_ipv6(ctx, pkt)) &&
	       put_reset_tcp(ctx, pkt);
}

#endif
