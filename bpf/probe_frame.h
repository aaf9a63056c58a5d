/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bytes of a probe. */
#ifndef XDPFLOW_PROBE_FRAME_H
#define XDPFLOW_PROBE_FRAME_H

#include "probe_packet.h"

enum {
	PROBE_TTL = 64,
	IPV4_DONT_FRAGMENT = 0x4000,
	ETHERNET_MIN = 60, /* without the checksum behind */
	ARP_REQUEST = 1,
	ARP_ETHERNET = 1,
	ND_SOLICITATION = 135,
	ND_SOURCE_ADDRESS = 1, /* option */
	TCP_PROBE_WINDOW = 64240,
};

struct draft {
	struct xf_probe_frame *frame;
	const struct xf_target_config *config;
	const struct xf_health_control *control;
	__u32 index;
	__u32 sequence;
	bool is_ipv4;
};

static __always_inline __u32 network_size(const struct draft *d)
{
	return d->is_ipv4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

static __always_inline void *network(const struct draft *d)
{
	return d->frame->bytes + sizeof(struct ethhdr);
}

static __always_inline void *transport(const struct draft *d)
{
	return d->frame->bytes + sizeof(struct ethhdr) + network_size(d);
}

static __always_inline void put_ethernet(const struct draft *d, const __u8 *to, const __u8 *from, __u16 type)
{
	struct ethhdr *eth = (void *)d->frame->bytes;

	__builtin_memcpy(eth->h_dest, to, ETH_ALEN);
	__builtin_memcpy(eth->h_source, from, ETH_ALEN);
	eth->h_proto = bpf_htons(type);
}

/* The length of the frame, too: `size` is that of the transport header and what it carries. */
static __always_inline void put_network(const struct draft *d, const struct xf_addr *to, __u8 l4_proto,
					__u32 size, __u8 hop_limit)
{
	d->frame->length = sizeof(struct ethhdr) + network_size(d) + size;
	if (d->is_ipv4) {
		struct iphdr ip = {
			.version = 4,
			.ihl = 5,
			.tot_len = bpf_htons(sizeof(ip) + size),
			.frag_off = bpf_htons(IPV4_DONT_FRAGMENT),
			.ttl = hop_limit,
			.protocol = l4_proto,
			.saddr = d->config->source.word[3],
			.daddr = to->word[3],
		};

		ip.check = checksum(&ip, sizeof(ip), 0);
		__builtin_memcpy(network(d), &ip, sizeof(ip));
	} else {
		struct ipv6hdr ip = {.version = 6,
				     .payload_len = bpf_htons(size),
				     .nexthdr = l4_proto,
				     .hop_limit = hop_limit};

		__builtin_memcpy(&ip.saddr, &d->config->source, sizeof(ip.saddr));
		__builtin_memcpy(&ip.daddr, to, sizeof(ip.daddr));
		__builtin_memcpy(network(d), &ip, sizeof(ip));
	}
}

static __always_inline void put_echo(const struct draft *d)
{
	struct echo echo;

	make_echo(&echo, d->config, d->control, d->index, d->sequence);
	__builtin_memcpy(transport(d), &echo, sizeof(echo));
	put_network(d, &d->config->address, d->is_ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, sizeof(echo),
		    PROBE_TTL);
}

static __always_inline __be16 own_port(const struct draft *d)
{
	return bpf_htons(own_port_of(d->control, d->index, d->sequence));
}

static __always_inline void put_syn(const struct draft *d)
{
	struct tcphdr tcp = {
		.source = own_port(d),
		.dest = d->config->port,
		.seq = bpf_htonl((__u32)token_of(d->index, d->sequence)),
		.doff = sizeof(tcp) / 4,
		.syn = 1,
		.window = bpf_htons(TCP_PROBE_WINDOW),
	};

	tcp.check =
		checksum(&tcp, sizeof(tcp),
			 pseudo_header(&d->config->source, &d->config->address, IPPROTO_TCP, sizeof(tcp)));
	__builtin_memcpy(transport(d), &tcp, sizeof(tcp));
	put_network(d, &d->config->address, IPPROTO_TCP, sizeof(tcp), PROBE_TTL);
}

/* What is behind the payload in the configuration is zero: the checksum takes it in up to a multiple of four.
 */
static __always_inline void put_datagram(const struct draft *d)
{
	__u32 payload = d->config->payload_length;
	__u32 padded = (payload + 3) & ~3U;
	struct udphdr *udp = transport(d);
	__u32 size = sizeof(*udp) + payload;

	barrier_var(padded);
	if (padded > XF_PAYLOAD_MAX)
		return;
	__builtin_memcpy(udp + 1, d->config->payload, XF_PAYLOAD_MAX);
	udp->source = own_port(d);
	udp->dest = d->config->port;
	udp->len = bpf_htons(size);
	udp->check = 0;
	udp->check =
		checksum(udp + 1, padded,
			 sum_of(udp, sizeof(*udp)) +
				 pseudo_header(&d->config->source, &d->config->address, IPPROTO_UDP, size));
	if (!udp->check)
		udp->check = 0xffff; /* zero would say that there is none: RFC 768 */
	put_network(d, &d->config->address, IPPROTO_UDP, size, PROBE_TTL);
}

static const __u8 broadcast[ETH_ALEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static __always_inline void put_arp(const struct draft *d)
{
	struct arp_packet *arp = network(d);

	put_ethernet(d, broadcast, d->config->own_mac, ETH_P_ARP);
	__builtin_memset(arp, 0, ETHERNET_MIN - sizeof(struct ethhdr));
	arp->hardware = bpf_htons(ARP_ETHERNET);
	arp->protocol = bpf_htons(ETH_P_IP);
	arp->hardware_size = ETH_ALEN;
	arp->protocol_size = sizeof(arp->sender);
	arp->operation = bpf_htons(ARP_REQUEST);
	__builtin_memcpy(arp->sender_mac, d->config->own_mac, ETH_ALEN);
	__builtin_memcpy(arp->sender, &d->config->source.word[3], sizeof(arp->sender));
	__builtin_memcpy(arp->target, &d->config->address.word[3], sizeof(arp->target));
	d->frame->length = ETHERNET_MIN;
}

/* RFC 4861, section 4.3, with the source link-layer address as its one option. */
struct solicitation {
	struct icmp_header head; /* id and sequence are reserved */
	struct xf_addr target;
	__u8 option, option_length;
	__u8 mac[ETH_ALEN];
};

/* To the solicited-node multicast address (RFC 4291, section 2.7.1). */
static __always_inline void put_solicitation(const struct draft *d)
{
	__be32 last = d->config->address.word[3];
	struct xf_addr to = {{bpf_htonl(0xff020000), 0, bpf_htonl(1), last | bpf_htonl(0xff000000)}};
	struct solicitation ns = {
		.head = {.type = ND_SOLICITATION},
		.target = d->config->address,
		.option = ND_SOURCE_ADDRESS,
		.option_length = 1, /* of eight bytes */
	};
	__u8 mac[ETH_ALEN] = {0x33, 0x33};

	__builtin_memcpy(ns.mac, d->config->own_mac, ETH_ALEN);
	__builtin_memcpy(mac + 2, &to.word[3], sizeof(to.word[3]));
	ns.head.checksum =
		checksum(&ns, sizeof(ns), pseudo_header(&d->config->source, &to, IPPROTO_ICMPV6, sizeof(ns)));
	put_ethernet(d, mac, d->config->own_mac, ETH_P_IPV6);
	__builtin_memcpy(transport(d), &ns, sizeof(ns));
	put_network(d, &to, IPPROTO_ICMPV6, sizeof(ns), ND_HOP_LIMIT);
}

/* All but the Ethernet header, which the way decides. */
static __noinline int put_probe(const struct draft *d)
{
	if (!d)
		return XF_CAUSE_NO_SOURCE;
	switch (d->config->probe) {
	case XF_PROBE_TCP:
		put_syn(d);
		break;
	case XF_PROBE_UDP:
		put_datagram(d);
		break;
	case XF_PROBE_ARP:
		if (d->is_ipv4)
			put_arp(d);
		else
			put_solicitation(d);
		break;
	default:
		put_echo(d);
	}
	return 0;
}

#endif
