/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a probe goes: egress device and addresses of the link, as the kernel's routing table says. */
#ifndef XDPFLOW_PROBE_WAY_H
#define XDPFLOW_PROBE_WAY_H

#include "probe_frame.h"

enum { LOOPBACK_IFINDEX = 1, AF_INET = 2, AF_INET6 = 10 };

static __always_inline void fill_fib_lookup(struct bpf_fib_lookup *fib, const struct draft *d)
{
	const struct xf_target_config *config = d->config;

	fib->family = d->is_ipv4 ? AF_INET : AF_INET6;
	fib->ifindex = config->oif ? config->oif : LOOPBACK_IFINDEX; /* as for what the router itself sends */
	fib->dport = config->port;
	if (config->probe == XF_PROBE_TCP)
		fib->l4_protocol = IPPROTO_TCP;
	else if (config->probe == XF_PROBE_UDP)
		fib->l4_protocol = IPPROTO_UDP;
	else
		fib->l4_protocol = d->is_ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	if (d->is_ipv4) {
		fib->ipv4_src = config->source.word[3];
		fib->ipv4_dst = config->address.word[3];
	} else {
		__builtin_memcpy(fib->ipv6_src, &config->source, sizeof(fib->ipv6_src));
		__builtin_memcpy(fib->ipv6_dst, &config->address, sizeof(fib->ipv6_dst));
	}
}

static __always_inline void note_next_hop(struct xf_probe_frame *frame, const struct bpf_fib_lookup *fib)
{
	frame->ifindex = fib->ifindex;
	if (fib->family == AF_INET)
		set_mapped(&frame->next_hop, fib->ipv4_dst);
	else
		__builtin_memcpy(&frame->next_hop, fib->ipv6_dst, sizeof(frame->next_hop));
}

static __always_inline bool is_no_address(const __u8 *mac)
{
	return !(mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5]);
}

/* Kernels before 6.6 give a neighbour that does not answer as one whose address is zero. */
static __always_inline int find_way(struct xdp_md *ctx, const struct draft *d)
{
	__u32 flags = d->config->oif ? BPF_FIB_LOOKUP_OUTPUT : 0;
	struct bpf_fib_lookup fib = {};

	fill_fib_lookup(&fib, d);
	switch (bpf_fib_lookup(ctx, &fib, sizeof(fib), flags)) {
	case BPF_FIB_LKUP_RET_SUCCESS:
		note_next_hop(d->frame, &fib);
		if (is_no_address(fib.dmac))
			return XF_CAUSE_RESOLVING;
		put_ethernet(d, fib.dmac, fib.smac, d->is_ipv4 ? ETH_P_IP : ETH_P_IPV6);
		return 0;
	case BPF_FIB_LKUP_RET_NO_NEIGH:
		note_next_hop(d->frame, &fib);
		return XF_CAUSE_RESOLVING;
	case BPF_FIB_LKUP_RET_FWD_DISABLED:
		return XF_CAUSE_NOT_FORWARDING;
	default:
		return XF_CAUSE_NO_ROUTE;
	}
}

#endif
