// SPDX-License-Identifier: GPL-2.0-or-later
/* Counts the elements of one flow table in nanoseconds; run with BPF_PROG_RUN, attached nowhere. */
#include "maps.h"

char LICENSE[] SEC("license")
= "GPL";

struct bpf_map {
};

/* Linux 6.6 and later; elsewhere the address is zero and the verifier drops the call. */
extern __s64 bpf_map_sum_elem_count(const struct bpf_map *map) __ksym __weak;

SEC("xdp.frags")
int census(struct xdp_md *ctx)
{
	struct xf_census *request = (void *)(long)ctx->data;
	void *table, *former;
	__u32 index;

	if ((void *)(request + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	index = request->index;
	request->supported = 0;
	table = bpf_map_lookup_elem(&tables, &index);
	if (!table || !bpf_map_sum_elem_count)
		return XDP_PASS;
	request->count = bpf_map_sum_elem_count(table);
	former = bpf_map_lookup_elem(&former_tables, &index);
	request->former = former ? bpf_map_sum_elem_count(former) : 0;
	request->count += request->former;
	request->supported = 1;
	return XDP_PASS;
}
