/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The least that can break rule 6 of the data plane: elements of a small LRU table that are evicted and
 * expire at the same time on several CPUs. A callback that deletes its own element waits for the lock of its
 * bucket; an evicting CPU holds that lock while it waits for the callback to end.
 */
#include <linux/bpf.h>
#include <linux/time.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license")
= "GPL";

const volatile bool callback_deletes;
const volatile __u32 longest_ns = 1;
__u64 made, expired;

struct element {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct element);
} elements SEC(".maps");

static int expire(void *map, __u32 *key, struct element *element)
{
	__u32 own = *key;

	__sync_fetch_and_add(&expired, 1);
	if (callback_deletes)
		bpf_map_delete_elem(&elements, &own);
	return 0;
}

SEC("xdp")
int make_one(struct xdp_md *ctx)
{
	struct element fresh = {}, *element;
	__u32 key = bpf_get_prandom_u32();

	if (bpf_map_update_elem(&elements, &key, &fresh, BPF_NOEXIST))
		return XDP_PASS;
	element = bpf_map_lookup_elem(&elements, &key);
	if (!element || bpf_timer_init(&element->timer, &elements, CLOCK_MONOTONIC))
		return XDP_PASS;
	bpf_timer_set_callback(&element->timer, expire);
	bpf_timer_start(&element->timer, bpf_get_prandom_u32() % longest_ns, 0);
	__sync_fetch_and_add(&made, 1);
	return XDP_PASS;
}
