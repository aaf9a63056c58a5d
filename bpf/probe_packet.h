/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a probe carries, and what proves that a packet answers it: a keyed hash of the target and of the
 * probe's number, so that nobody who has not seen the probe can make an answer to it, and a late answer is
 * told from one in time.
 */
#ifndef XDPFLOW_PROBE_PACKET_H
#define XDPFLOW_PROBE_PACKET_H

#include "counters.h"

struct sip {
	__u64 v0, v1, v2, v3;
};

static __always_inline __u64 rotate(__u64 value, __u32 bits)
{
	return value << bits | value >> (64 - bits);
}

static __always_inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 = rotate(s->v2, 32);
}

static __always_inline void sip_add(struct sip *s, __u64 word)
{
	s->v3 ^= word;
	sip_round(s);
	sip_round(s);
	s->v0 ^= word;
}

/* SipHash-2-4 of eight bytes (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012). */
static __always_inline __u64 sip_hash(const __u64 key[2], __u64 word)
{
	struct sip s = {key[0] ^ 0x736f6d6570736575ULL, key[1] ^ 0x646f72616e646f6dULL,
			key[0] ^ 0x6c7967656e657261ULL, key[1] ^ 0x7465646279746573ULL};

	sip_add(&s, word);
	sip_add(&s, 8ULL << 56);
	s.v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

static __always_inline struct xf_health_control *health_control(void)
{
	__u32 index = 0;

	return bpf_map_lookup_elem(&health, &index);
}

static __noinline __u64 token_of(__u32 index, __u32 sequence)
{
	struct xf_health_control *control = health_control();

	return control ? sip_hash(control->secret, (__u64)index << 32 | sequence) : 0;
}

/* The port, or ICMP identifier, that a probe is sent from: in turns, so that it tells a late answer, and so
 * that a server that still has the last connection half-open does not take the next for a part of it. */
static __always_inline __u16 own_port_of(const struct xf_health_control *control, __u32 index, __u32 sequence)
{
	return control->own_port + (index + sequence) % XF_OWN_PORTS;
}

static __always_inline bool is_own_port(const struct xf_health_control *control, __be16 port)
{
	return control->own_port && (__u16)(bpf_ntohs(port) - control->own_port) < XF_OWN_PORTS;
}

/* RFC 826, of Ethernet and IPv4. */
struct arp_packet {
	__be16 hardware, protocol;
	__u8 hardware_size, protocol_size;
	__be16 operation;
	__u8 sender_mac[6];
	__u8 sender[4];
	__u8 target_mac[6];
	__u8 target[4];
};

enum { ARP_REPLY = 2, ND_ADVERTISEMENT = 136, ND_HOP_LIMIT = 255, IPV6_HOP_LIMIT_OFFSET = 7 };

/* What an ICMP probe carries, and brings back. */
struct echo {
	struct icmp_header head;
	__be32 sequence;
	__be32 index;
	__u64 token;
};

static __always_inline __sum16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Of the addresses, protocol and length that TCP, UDP and ICMPv6 check too (RFC 9293, 3.1; RFC 8200, 8.1). An
 * IPv4 address counts as its mapped form: that adds 0xffff, which is zero here. */
static __always_inline __u64 pseudo_header(const struct xf_addr *src, const struct xf_addr *dst,
					   __u8 l4_proto, __u32 length)
{
	__u64 sum = bpf_htonl(l4_proto) + (__u64)bpf_htonl(length);

	for (int i = 0; i < 4; i++)
		sum += (__u64)src->word[i] + dst->word[i];
	return sum;
}

/* Not folded. `size`: a multiple of four, up to 512: before 6.13 bpf_csum_diff() fails beyond. */
static __always_inline __u64 sum_of(const void *bytes, __u32 size)
{
	return bpf_csum_diff(NULL, 0, (__be32 *)bytes, size, 0) & 0xffffffff;
}

/* `size`: as above. `before`: the sum of what stands before the bytes. */
static __always_inline __sum16 checksum(const void *bytes, __u32 size, __u64 before)
{
	return fold(sum_of(bytes, size) + (before & 0xffffffff) + (before >> 32));
}

/* The request as it was sent. */
static __always_inline void make_echo(struct echo *echo, const struct xf_target_config *config,
				      const struct xf_health_control *control, __u32 index, __u32 sequence)
{
	bool is_ipv4 = is_mapped(&config->address);

	__builtin_memset(echo, 0, sizeof(*echo));
	echo->head.type = is_ipv4 ? 8 : 128; /* RFC 792, RFC 4443 */
	echo->head.id = bpf_htons(own_port_of(control, index, sequence));
	echo->head.sequence = bpf_htons(sequence);
	echo->sequence = bpf_htonl(sequence);
	echo->index = bpf_htonl(index);
	echo->token = token_of(index, sequence);
	echo->head.checksum = checksum(
		echo, sizeof(*echo),
		is_ipv4 ? 0
			: pseudo_header(&config->source, &config->address, IPPROTO_ICMPV6, sizeof(*echo)));
}

#endif
