// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What xdpflow is measured against: the least that any flow tracker does with a packet, with the same parser
 * and key. `spread` stands in front of each: it gives every frame the address of another flow and tail-calls
 * what is measured.
 */
#include <linux/time.h>
#include "coarse_clock.h"
#include "flow_key.h"
#include "spread_job.h"

char LICENSE[] SEC("license")
= "GPL";

struct spread_job jobs[SPREAD_CPUS] __attribute__((aligned(64))) = {};

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u32);
} programs SEC(".maps");

/* The floor: two counters and a time. */
struct floor_value {
	__u64 last_seen_ns, packets, bytes;
};

/* What a flow timer needs beside them: the timer, a phase and a deadline. */
struct timed_value {
	__u64 last_seen_ns, packets, bytes;
	__u32 phase, slot;
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1); /* set by the bench */
	__type(key, struct xf_flow_key);
	__type(value, struct floor_value);
} floor_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1); /* set by the bench */
	__type(key, struct xf_flow_key);
	__type(value, struct timed_value);
} timed_flows SEC(".maps");

/* The size of xdpflow's own value, without a timer in it. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1); /* set by the bench */
	__type(key, struct xf_flow_key);
	__type(value, __u8[sizeof(struct xf_flow)]);
} plain_flows SEC(".maps");

/* The same with a timer in it. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1); /* set by the bench */
	__type(key, struct xf_flow_key);
	__type(value, struct xf_flow);
} armed_flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} floor_timeouts SEC(".maps");

#define ARMED_FOR_NS 120000000000ULL /* as a flow in SYN_SENT */

SEC("xdp.frags")
int spread(struct xdp_md *ctx)
{
	struct spread_job *job = &jobs[bpf_get_smp_processor_id() % SPREAD_CPUS];
	void *data = (void *)(long)ctx->data;
	__u32 offset = job->address_offset & 0xff, flow;
	__be32 *address = data + offset;

	if ((void *)(address + 1) > (void *)(long)ctx->data_end || !job->flows)
		return XDP_ABORTED;
	flow = job->random ? bpf_get_prandom_u32() % job->flows : job->next++;
	*address = bpf_htonl(0x0a000000 + job->first + flow);
	bpf_tail_call(ctx, &programs, job->target);
	return XDP_ABORTED;
}

/* The empty program. */
SEC("xdp.frags")
int nothing(struct xdp_md *ctx)
{
	return XDP_PASS;
}

/* The parser and the key, of which something must depend on every word. */
SEC("xdp.frags")
int parse_only(struct xdp_md *ctx)
{
	struct packet pkt = {};
	struct xf_flow_key key;

	if (parse_packet(ctx, &pkt) != PARSED)
		return XDP_ABORTED;
	make_key(&key, &pkt, 0);
	return key_tag(&key) == 1 && !pkt.bytes ? XDP_ABORTED : XDP_PASS;
}

SEC("xdp.frags")
int track_floor(struct xdp_md *ctx)
{
	struct packet pkt = {};
	struct xf_flow_key key;
	struct floor_value *value;

	if (parse_packet(ctx, &pkt) != PARSED)
		return XDP_ABORTED;
	make_key(&key, &pkt, 0);
	value = bpf_map_lookup_elem(&floor_flows, &key);
	if (!value) {
		struct floor_value first = {};

		bpf_map_update_elem(&floor_flows, &key, &first, BPF_NOEXIST);
		return XDP_PASS;
	}
	__sync_fetch_and_add(&value->packets, 1);
	__sync_fetch_and_add(&value->bytes, pkt.bytes);
	value->last_seen_ns = coarse_now_ns();
	return XDP_PASS;
}

static __always_inline void make_timed(struct xf_flow_key *key)
{
	struct timed_value first = {.phase = 1};

	bpf_map_update_elem(&timed_flows, key, &first, BPF_NOEXIST);
}

/* The floor, and what the flow timer adds to it: is the entry alive, and not overdue? */
SEC("xdp.frags")
int track_timed(struct xdp_md *ctx)
{
	__u64 now_ns = coarse_now_ns(), *timeout;
	struct packet pkt = {};
	struct xf_flow_key key;
	struct timed_value *value;
	__u32 slot;

	if (parse_packet(ctx, &pkt) != PARSED)
		return XDP_ABORTED;
	make_key(&key, &pkt, 0);
	value = bpf_map_lookup_elem(&timed_flows, &key);
	if (!value) {
		make_timed(&key);
		return XDP_PASS;
	}
	slot = value->slot;
	timeout = bpf_map_lookup_elem(&floor_timeouts, &slot);
	if (!timeout || value->phase != 1 || (__s64)(value->last_seen_ns + *timeout - now_ns) < 0)
		return XDP_ABORTED;
	__sync_fetch_and_add(&value->packets, 1);
	__sync_fetch_and_add(&value->bytes, pkt.bytes);
	if (value->last_seen_ns != now_ns)
		value->last_seen_ns = now_ns;
	return XDP_PASS;
}

/* A new flow without a timer: look in both tables of a zone, insert, look again. */
SEC("xdp.frags")
int insert_plain(struct xdp_md *ctx)
{
	__u8 first[sizeof(struct xf_flow)] = {};
	struct packet pkt = {};
	struct xf_flow_key key;

	if (parse_packet(ctx, &pkt) != PARSED)
		return XDP_ABORTED;
	make_key(&key, &pkt, 0);
	if (bpf_map_lookup_elem(&timed_flows, &key) || bpf_map_lookup_elem(&plain_flows, &key))
		return XDP_PASS;
	if (bpf_map_update_elem(&plain_flows, &key, first, BPF_NOEXIST))
		return XDP_ABORTED;
	return bpf_map_lookup_elem(&plain_flows, &key) ? XDP_PASS : XDP_ABORTED;
}

static int never_due(void *map, struct xf_flow_key *key, struct xf_flow *flow)
{
	return 0;
}

/* The same, and the three calls that any flow with a timer of its own has to make. */
SEC("xdp.frags")
int insert_armed(struct xdp_md *ctx)
{
	struct xf_flow first = {}, *flow;
	struct packet pkt = {};
	struct xf_flow_key key;

	if (parse_packet(ctx, &pkt) != PARSED)
		return XDP_ABORTED;
	make_key(&key, &pkt, 0);
	if (bpf_map_lookup_elem(&timed_flows, &key) || bpf_map_lookup_elem(&armed_flows, &key))
		return XDP_PASS;
	if (bpf_map_update_elem(&armed_flows, &key, &first, BPF_NOEXIST))
		return XDP_ABORTED;
	flow = bpf_map_lookup_elem(&armed_flows, &key);
	if (!flow || bpf_timer_init(&flow->timer, &armed_flows, CLOCK_MONOTONIC))
		return XDP_ABORTED;
	bpf_timer_set_callback(&flow->timer, never_due);
	bpf_timer_start(&flow->timer, ARMED_FOR_NS, 0);
	return XDP_PASS;
}
