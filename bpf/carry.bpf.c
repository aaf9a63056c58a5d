// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Takes in flows and totals of an older layout; run with BPF_PROG_RUN, attached nowhere. The frame is a
 * struct xf_run_request and its items. Returns a number (enum xf_carry_op), or a negative error. A program of
 * its own: the verifier needs as long for it as for the packet program, and only a change of the layout needs
 * it.
 */
#include "carry_over.h"

char LICENSE[] SEC("license")
= "GPL";

struct batch {
	struct xdp_md *ctx;
	__u32 table;
	__u32 changed;
	__u64 now_ns;
};

static long adopt_one(__u32 i, struct batch *batch)
{
	struct arrival a = {.s.now_ns = batch->now_ns};
	__u32 offset = sizeof(struct xf_run_request) + i * sizeof(struct xf_adopted);

	if (bpf_xdp_load_bytes(batch->ctx, offset, &a.s.key, sizeof(a.s.key)) ||
	    bpf_xdp_load_bytes(batch->ctx, offset + sizeof(a.s.key), &a.flow, sizeof(a.flow)))
		return 1;
	complete(&a, batch->table);
	if (!is_table(&a.s.key, batch->table) || !adopt_flow(&a))
		__sync_fetch_and_add(&batch->changed, 1);
	return 0;
}

/* A run is never cut short, so a row and the note that it was added stay together. */
static long add_one(__u32 i, struct batch *batch)
{
	struct xf_control *control = control_of_daemon();
	__u32 offset = sizeof(struct xf_run_request) + i * sizeof(struct xf_addend);
	struct xf_addend_head head;

	if (!control || bpf_xdp_load_bytes(batch->ctx, offset, &head, sizeof(head)))
		return 1;
	if (head.row != control->carried_rows)
		return 0;
	add_row(batch->ctx, offset + sizeof(head), &head);
	control->carried_rows++;
	batch->changed++;
	return 0;
}

SEC("xdp.frags")
int carry(struct xdp_md *ctx)
{
	struct batch batch = {.ctx = ctx, .now_ns = bpf_ktime_get_ns()};
	struct xf_run_request request;

	if (bpf_xdp_load_bytes(ctx, 0, &request, sizeof(request)))
		return -EINVAL;
	batch.table = request.table;
	switch (request.op) {
	case XF_CARRY_FLOWS:
		if (request.count > XF_ADOPT_BATCH_MAX)
			return -E2BIG;
		bpf_loop(request.count, adopt_one, &batch, 0);
		return batch.changed;
	case XF_CARRY_TOTALS:
		if (request.count > XF_ADD_BATCH_MAX)
			return -E2BIG;
		bpf_loop(request.count, add_one, &batch, 0);
		return batch.changed;
	default:
		return -EINVAL;
	}
}
