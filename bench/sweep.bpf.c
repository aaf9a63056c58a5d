// SPDX-License-Identifier: GPL-2.0-or-later
/* How others empty a table: somebody walks all of it again and again, and deletes what is overdue. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "xdpflow/abi.h"

char LICENSE[] SEC("license")
= "GPL";

/* What a sweep needs to know, and no more. */
struct swept_flow {
	__u64 last_seen_ns;
	struct xf_count forward, reverse;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1); /* set by the bench */
	__type(key, struct xf_flow_key);
	__type(value, struct swept_flow);
} swept_flows SEC(".maps");

/* What was last seen before this is overdue; set for each sweep. */
__u64 overdue_before_ns = 0;
__u64 deleted = 0;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id, seq_num;
} __attribute__((preserve_access_index));

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	void *key, *value;
} __attribute__((preserve_access_index));

static __always_inline void sweep_one(const struct xf_flow_key *key, const struct swept_flow *flow)
{
	struct xf_flow_key copy;

	if ((__s64)(flow->last_seen_ns - overdue_before_ns) > 0)
		return;
	copy = *key;
	if (!bpf_map_delete_elem(&swept_flows, &copy))
		deleted++;
}

/* The map iterator: read until its end, it has seen all. */
SEC("iter/bpf_map_elem")
int sweep_iterator(struct bpf_iter__bpf_map_elem *ctx)
{
	struct xf_flow_key *key = ctx->key;
	struct swept_flow *flow = ctx->value;

	if (key && flow)
		sweep_one(key, flow);
	return 0;
}

static long sweep_element(void *map, struct xf_flow_key *key, struct swept_flow *flow, void *context)
{
	sweep_one(key, flow);
	return 0;
}

/* As it was done before there were BPF timers: a timer of user space runs this by BPF_PROG_RUN. */
SEC("xdp")
int sweep_all(struct xdp_md *ctx)
{
	bpf_for_each_map_elem(&swept_flows, sweep_element, NULL, 0);
	return XDP_PASS;
}
