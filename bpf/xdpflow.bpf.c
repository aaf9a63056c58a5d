// SPDX-License-Identifier: GPL-2.0-or-later
/* The pipeline: packet -> parse -> zone -> reply to a probe, or flow -> verdict. */
#include "coarse_clock.h"
#include "flow_table.h"
#include "probe_reply.h"
#include "probe_reset.h"

char LICENSE[] SEC("license")
= "GPL";

static __always_inline struct xf_zone_rule *zone_rule(__u32 ifindex, __u16 vlan)
{
	struct xf_cached_rule *cached = bpf_map_lookup_elem(&rule_cache, &ifindex);
	struct xf_zone_rule_key key = {.ifindex = ifindex};
	struct xf_zone_rule *rule, *own;

	if (cached && cached->valid && !(cached->rule.has_vlans && vlan))
		return &cached->rule;
	rule = bpf_map_lookup_elem(&zone_rules, &key);
	if (!rule || !rule->has_vlans || !vlan)
		return rule;
	key.vlan = vlan;
	own = bpf_map_lookup_elem(&zone_rules, &key);
	return own ? own : rule;
}

/* While one generation takes over from another both may be attached to one hook: then only one of them
 * counts. */
static __always_inline bool is_active_generation(void)
{
	struct xf_control *daemon = control_of_daemon();

	return daemon && (daemon->generation == generation || daemon->incoming == generation);
}

static __always_inline __u32 reply_outcome(struct xdp_md *ctx, struct packet *pkt, int reply)
{
	return reply == REPLY_TO_RESET && make_reset(ctx, pkt) ? ANSWERED : XF_UNTRACKED_PROBE;
}

SEC("xdp.frags")
int xdpflow(struct xdp_md *ctx)
{
	struct packet pkt = {.seen_ns = coarse_now_ns()};
	int unparsed = parse_packet(ctx, &pkt);
	struct xf_zone_rule *rule = zone_rule(ctx->ingress_ifindex, pkt.vlan);

	if (!rule) {
		count_error(XF_ERROR_NO_INTERFACE);
		return XDP_PASS;
	}
	if (!is_active_generation())
		return verdict(rule->interface, &pkt, unparsed, XF_UNTRACKED_INACTIVE);
	if (may_be_reply(&pkt, unparsed)) {
		int reply = take_reply(ctx, &pkt, unparsed);

		if (reply != NO_REPLY)
			return verdict(rule->interface, &pkt, unparsed, reply_outcome(ctx, &pkt, reply));
	}
	if (unparsed != PARSED)
		return verdict(rule->interface, &pkt, unparsed, XF_UNTRACKED_UNPARSED);
	return verdict(rule->interface, &pkt, unparsed, track(&pkt, rule->zone));
}
