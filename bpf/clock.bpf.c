// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads the kernel's clocks at once; run with BPF_PROG_RUN before the others are loaded, attached nowhere. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "xdpflow/abi.h"

char LICENSE[] SEC("license")
= "GPL";

SEC("xdp")
int clock(struct xdp_md *ctx)
{
	struct xf_clock *clock = (void *)(long)ctx->data;

	if ((void *)(clock + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	clock->coarse_ns = bpf_ktime_get_coarse_ns();
	clock->jiffies = bpf_jiffies64();
	clock->now_ns = bpf_ktime_get_ns();
	return XDP_PASS;
}
