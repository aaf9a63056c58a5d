// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * User space's one way to change flow tables; run with BPF_PROG_RUN, attached nowhere. The frame is a struct
 * xf_admin_request and its keys. Returns how many flows it changed, or a negative error.
 */
#include "reaper.h"

char LICENSE[] SEC("license")
= "GPL";

struct batch {
	struct xdp_md *ctx;
	__u32 table;
	__u32 changed;
	__u64 now_ns;
};

static __always_inline bool flush(struct xf_flow_key *key, __u32 which, __u64 now_ns)
{
	void *table = which < XF_TABLES && key->zone < XF_ZONES_MAX ? flow_table(key->zone, which) : NULL;
	struct xf_flow *flow = table ? bpf_map_lookup_elem(table, key) : NULL;

	if (!flow || !end_flow(key, flow, XF_REASON_FLUSHED, now_ns))
		return false;
	if (!delete_ended(table, key, flow) && in_phase(flow, XF_PHASE_ENDED))
		hand_to_reaper(key, flow, now_ns);
	return true;
}

static long flush_one(__u32 i, struct batch *batch)
{
	struct xf_flow_key key;
	__u32 offset = sizeof(struct xf_admin_request) + i * sizeof(key);

	if (bpf_xdp_load_bytes(batch->ctx, offset, &key, sizeof(key)))
		return 1;
	if (flush(&key, batch->table, batch->now_ns))
		__sync_fetch_and_add(&batch->changed, 1);
	return 0;
}

SEC("xdp.frags")
int admin(struct xdp_md *ctx)
{
	struct batch batch = {.ctx = ctx, .now_ns = bpf_ktime_get_ns()};
	struct xf_admin_request request;

	if (bpf_xdp_load_bytes(ctx, 0, &request, sizeof(request)))
		return -EINVAL;
	batch.table = request.table;
	switch (request.op) {
	case XF_ADMIN_START_REAPER:
		return start_reaper(batch.now_ns);
	case XF_ADMIN_FLUSH:
		if (request.count > XF_ADMIN_BATCH_MAX)
			return -E2BIG;
		bpf_loop(request.count, flush_one, &batch, 0);
		return batch.changed;
	default:
		return -EINVAL;
	}
}
