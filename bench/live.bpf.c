// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Traffic for a router. `send` runs on frames that are real ones (BPF_F_TEST_XDP_LIVE_FRAMES): it writes a
 * packet of another flow into each, and sends it from the device on which it is said to have arrived. `sink`
 * is where such packets end.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "live_job.h"

char LICENSE[] SEC("license")
= "GPL";

enum { SINK_CPUS = 64, NUMBERS = 1 << 24, EPHEMERAL_PORTS = 1 << 15, ACK_FLAG = 0x10 };

struct live_job job __attribute__((aligned(64))) = {};

/* Per CPU, a cache line each. */
struct {
	__u64 packets;
	__u64 zero[7];
} arrived[SINK_CPUS] __attribute__((aligned(64))) = {};

struct frame {
	struct ethhdr ethernet;
	struct iphdr ip;
	struct tcphdr tcp;
	__u8 padding[6];
} __attribute__((packed, aligned(4)));
_Static_assert(sizeof(struct frame) == LIVE_FRAME_SIZE, "a frame is a frame");

/* Writes a packet; the number of its flow. */
static __always_inline __u32 next_packet(struct frame *frame)
{
	if (job.fresh_every && job.until_fresh-- == 0) {
		job.until_fresh = job.fresh_every - 1;
		*frame = *(struct frame *)job.fresh_frame;
		return job.fresh++;
	}
	*frame = *(struct frame *)job.frame;
	return job.first + (job.random ? bpf_get_prandom_u32() : job.next++) % job.flows;
}

/* Where some 16-bit words have grown by `more` altogether (RFC 1624). */
static __always_inline __u16 adjusted(__u16 check, __u32 more)
{
	__u32 sum = (__u16)~bpf_ntohs(check) + more;

	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return bpf_htons(~sum);
}

static __always_inline void give_flow(struct frame *frame, __u32 number)
{
	__be32 address = bpf_htonl(0x0a000000 + number);
	__u32 more = (number >> 16) + (number & 0xffff);
	__u32 port = job.scatter ? bpf_get_prandom_u32() % EPHEMERAL_PORTS : 0;

	if (job.reverse)
		frame->ip.daddr = address;
	else
		frame->ip.saddr = address;
	frame->ip.check = adjusted(frame->ip.check, more);
	frame->tcp.source = bpf_htons(bpf_ntohs(frame->tcp.source) + port);
	frame->tcp.check = adjusted(frame->tcp.check, more + port);
}

/* Pages are recycled as the last receiver left them: all of the frame is written anew. */
SEC("xdp")
int send(struct xdp_md *ctx)
{
	struct frame *frame = (void *)(long)ctx->data;

	if ((void *)(frame + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	give_flow(frame, next_packet(frame) % NUMBERS);
	return XDP_TX;
}

static __always_inline int is_ours(__be32 address)
{
	return (address & bpf_htonl(0xff000000)) == bpf_htonl(0x0a000000);
}

SEC("xdp")
int sink(struct xdp_md *ctx)
{
	struct frame *frame = (void *)(long)ctx->data;

	if ((void *)&frame->tcp > (void *)(long)ctx->data_end ||
	    frame->ethernet.h_proto != bpf_htons(ETH_P_IP) ||
	    !(is_ours(frame->ip.saddr) || is_ours(frame->ip.daddr)))
		return XDP_PASS;
	arrived[bpf_get_smp_processor_id() % SINK_CPUS].packets++;
	return XDP_DROP;
}

/* Takes the frame back to where it came from, as the answer to a SYN. */
static __always_inline void make_answer(struct frame *frame)
{
	__u8 mac[ETH_ALEN];
	__be32 address = frame->ip.saddr;
	__be16 port = frame->tcp.source;
	__u32 answered = bpf_ntohl(frame->tcp.seq) + 1;

	__builtin_memcpy(mac, frame->ethernet.h_source, ETH_ALEN);
	__builtin_memcpy(frame->ethernet.h_source, frame->ethernet.h_dest, ETH_ALEN);
	__builtin_memcpy(frame->ethernet.h_dest, mac, ETH_ALEN);
	frame->ip.saddr = frame->ip.daddr;
	frame->ip.daddr = address;
	frame->tcp.source = frame->tcp.dest;
	frame->tcp.dest = port;
	frame->tcp.ack = 1;
	frame->tcp.ack_seq = bpf_htonl(answered);
	frame->tcp.check = adjusted(frame->tcp.check, ACK_FLAG + (answered >> 16) + (answered & 0xffff));
}

/* A server that answers SYNs from 10.0.0.0/8, as fast as they come. */
SEC("xdp")
int answer(struct xdp_md *ctx)
{
	struct frame *frame = (void *)(long)ctx->data;

	if ((void *)frame->padding > (void *)(long)ctx->data_end ||
	    frame->ethernet.h_proto != bpf_htons(ETH_P_IP) || !is_ours(frame->ip.saddr) ||
	    frame->ip.protocol != IPPROTO_TCP || !frame->tcp.syn)
		return XDP_PASS;
	make_answer(frame);
	return XDP_TX;
}

/* The empty program. */
SEC("xdp")
int nothing(struct xdp_md *ctx)
{
	return XDP_PASS;
}
