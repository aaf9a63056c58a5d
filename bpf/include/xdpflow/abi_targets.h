/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of the contract that is about health: targets, their probes, and what the kernel decides from the
 * replies. A part of abi.h, which includes it.
 */
#ifndef XDPFLOW_ABI_TARGETS_H
#define XDPFLOW_ABI_TARGETS_H

enum {
	XF_TARGETS_MAX = 100000,
	XF_TARGET_NAME_SIZE = 64, /* 63 characters, NUL */
	XF_PAYLOAD_MAX = 512,	  /* of a UDP probe */
	XF_EXPECT_MAX = 64,	  /* what a UDP reply must begin with */
	XF_SHARERS_MAX = 8,	  /* targets that share one probe */
	XF_OWN_PORTS = 16,	  /* ports, or ICMP identifiers, that probes take in turns */
	XF_PROBE_BATCH = 64,	  /* probes built by one run of the probe program */
	XF_PROBE_FRAME_MAX = 640, /* Ethernet, IPv6, UDP and the longest payload */
	XF_HISTORY = 128,	  /* outcomes remembered, of which the last 100 are shown */
};

enum xf_probe {
	XF_PROBE_ICMP,
	XF_PROBE_TCP,
	XF_PROBE_UDP,
	XF_PROBE_ARP, /* ARP for IPv4, neighbour discovery for IPv6 */
	XF_PROBES,
};

enum xf_health {
	XF_HEALTH_UNKNOWN,
	XF_HEALTH_UP,
	XF_HEALTH_DOWN,
	XF_HEALTHS,
};

/* What became of a probe: the label `result` of xdpflowd_probes_total. */
enum xf_result {
	XF_RESULT_OK,
	XF_RESULT_TIMEOUT,
	XF_RESULT_UNREACHABLE, /* somebody, or the routing table, says so */
	XF_RESULT_LATE,	       /* a reply to a probe that was judged already; judges nothing */
	XF_RESULT_UNRESOLVED,  /* not sent: the next hop's address is not known, or another cause that is not
				  the target's */
	XF_RESULTS,
};

/* Why a target is, or is not, what it should be. */
enum xf_cause {
	XF_CAUSE_NONE,
	XF_CAUSE_REPLY,
	XF_CAUSE_TIMEOUT,
	XF_CAUSE_REFUSED,	 /* TCP RST */
	XF_CAUSE_ICMP_ERROR,	 /* quotes the probe; its type and code stand beside */
	XF_CAUSE_MISMATCH,	 /* a UDP reply that does not begin as it should */
	XF_CAUSE_NO_ROUTE,	 /* none, or one that forbids */
	XF_CAUSE_NO_NEIGHBOUR,	 /* the kernel asked for the next hop's address and got no answer */
	XF_CAUSE_RESOLVING,	 /* the kernel is asking for it */
	XF_CAUSE_LINK_DOWN,	 /* the egress device would not take the frame */
	XF_CAUSE_NOT_OBSERVED,	 /* replies would arrive where xdpflowd is not attached */
	XF_CAUSE_NOT_FORWARDING, /* bpf_fib_lookup() answers only where forwarding is on */
	XF_CAUSE_NO_SOURCE,	 /* no own address to probe from */
	XF_CAUSE_OWN_ADDRESS,	 /* the target is this machine */
	XF_CAUSE_NO_TIMER,	 /* the kernel has no memory for its timer: tried again */
	XF_CAUSE_NOT_SENT,	 /* the kernel would not take the frame just then */
	XF_CAUSE_MAINTENANCE,	 /* `xdpflowctl targets set` */
	XF_CAUSE_SAME_PROBE,	 /* another target's probe looks the same */
	XF_CAUSES,
};

/*
 * Where a target's probe stands. `due` and `sending` have no timer: if the daemon does not go on, nothing is
 * judged (no probe sent, no verdict).
 */
enum xf_probe_phase {
	XF_PROBE_PHASE_STOPPED,
	XF_PROBE_PHASE_WAITING, /* until the next probe is due: timer */
	XF_PROBE_PHASE_DUE,	/* in the ring `due_probes` */
	XF_PROBE_PHASE_SENDING, /* built; a reply already counts */
	XF_PROBE_PHASE_SENT,	/* until its deadline: timer */
};

/* Key of `probe_keys`: whom a reply comes from, and to which own address. ARP and ND: no port, no own
 * address. */
struct xf_probe_key {
	struct xf_addr peer, own;
	__be16 peer_port;
	__u8 probe; /* enum xf_probe */
	__u8 zero;
};
ABI_SIZE(struct xf_probe_key, 36);

/* Element of `target_configs`: what the configuration and the routing table say. Writer: daemon. Reader:
 * probe program, timers, replies, tools. */
struct xf_target_config {
	char name[XF_TARGET_NAME_SIZE];
	struct xf_addr address;
	struct xf_addr source; /* all zero: no own address is known now */
	__u64 interval_ns, down_interval_ns, timeout_ns;
	__u32 fall, rise;
	__u32 weight;
	__u32 first_sharer;  /* the target that is probed for this one: itself, unless it shares a probe */
	__u32 next_sharer;   /* the next target of the same probe; 0: none */
	__u32 oif;	     /* egress device or VRF that the configuration wants; 0: by the routing table */
	__u32 route_ifindex; /* egress device by the routing table, for ARP and ND */
	__be16 port;
	__u8 probe;			     /* enum xf_probe */
	__u8 refused_is_up;		     /* TCP */
	__u8 own_mac[6];		     /* of route_ifindex */
	__u16 payload_length, expect_length; /* UDP */
	__u8 refusal;			     /* enum xf_cause: it is not probed, and this is why */
	__u8 initial;			     /* enum xf_health */
	__u8 payload[XF_PAYLOAD_MAX];
	__u8 expect[XF_EXPECT_MAX]; /* zero beyond expect_length */
};
ABI_SIZE(struct xf_target_config, 744);

/* Element of `targets`. Writer: the kernel, under its lock. Reader: tools. */
struct xf_target {
	struct bpf_spin_lock lock;
	__u32 sequence; /* of the last probe, from 1 */
	struct bpf_timer timer;
	__u8 phase;	/* enum xf_probe_phase */
	__u8 health;	/* enum xf_health, by the probes */
	__u8 forced;	/* XF_HEALTH_UP or XF_HEALTH_DOWN by an operator; XF_HEALTH_UNKNOWN: nobody does */
	__u8 cause;	/* enum xf_cause, of what is shown */
	__u8 error;	/* enum xf_cause, of the last failure; XF_CAUSE_NONE after a success */
	__u8 icmp_type; /* of the last ICMP error */
	__u8 icmp_code;
	__u8 zero;
	__u32 successes, failures; /* consecutive */
	__u64 due_ns;		   /* of the probe under way, or of the next one */
	__u64 turn_ns;		   /* when that one would be due if none was ever late */
	__u64 built_ns;		   /* of the last probe */
	__u64 judged_ns;	   /* when one was, last; 0: none so far */
	__u64 deadline_ns;	   /* of a probe that was sent */
	__u64 since_ns;		   /* when what is shown became so; 0: never */
	__u64 rtt_ns, rtt_min_ns, rtt_max_ns, rtt_sum_ns; /* of the last success; of all of them */
	__u64 results[XF_RESULTS];
	__u64 transitions[XF_HEALTHS];	/* to each, as shown */
	__u64 history[XF_HISTORY / 64]; /* 1: failed; bit 0 of the first word is the last outcome */
};
ABI_SIZE(struct xf_target, 200);

/* What is shown, and acted upon. */
static inline __u8 xf_shown_health(const struct xf_target *target)
{
	return target->forced != XF_HEALTH_UNKNOWN ? target->forced : target->health;
}

/* Element of the ring `due_probes`. */
struct xf_due {
	__u32 index;
	__u32 zero;
};
ABI_SIZE(struct xf_due, 8);

enum xf_probe_op {
	XF_PROBE_OP_START = 1, /* makes the timer if there is none, and sets it for `argument_ns`, or now */
	XF_PROBE_OP_BUILD,     /* the frames of those that are due */
	XF_PROBE_OP_ARM,       /* deadlines of those that were sent; verdicts on those that could not be */
	XF_PROBE_OP_FORCE,     /* shows target `index` as `health`, whatever its probes say; no elements */
	XF_PROBE_OP_STOP,      /* no timer any more: then the element can be deleted */
};

/*
 * The frame given to the probe program: the first `count` elements of `probe_frames` are what it is about.
 * They belong to the running daemon; what tools ask for too, FORCE, stands in the request itself.
 */
struct xf_probe_request {
	__u32 op; /* enum xf_probe_op */
	__u32 count;
	__u32 index;  /* FORCE: of the target */
	__u32 health; /* FORCE: enum xf_health; XF_HEALTH_UNKNOWN: as the probes say */
};
ABI_SIZE(struct xf_probe_request, 16);

/*
 * Element of `probe_frames`, which the daemon has mapped: filled in by it before a run, by the program during
 * one.
 */
struct xf_probe_frame {
	__u32 index;	/* of the target */
	__s32 outcome;	/* out: 0, an enum xf_cause why no probe can be sent, or a negative error. In, of an
			   ARM: 0 if it  was sent, or an enum xf_cause */
	__u32 sequence; /* of the probe: what was built is what is armed */
	__u32 ifindex;	/* out: egress device, also towards a next hop without an address yet */
	struct xf_addr next_hop; /* out */
	__u64 argument;		 /* START: delay in nanoseconds */
	__u32 length;		 /* out: of the frame */
	__u32 zero;
	__u8 bytes[XF_PROBE_FRAME_MAX];
};
ABI_SIZE(struct xf_probe_frame, 688);

/* The one element of `health`: what every packet is compared with. */
struct xf_health_control {
	__u16 own_port;	 /* first of XF_OWN_PORTS, host order; 0: there are no targets */
	__u8 neighbours; /* 1: there are targets with probe "arp" */
	__u8 zero[5];
	__u64 secret[2]; /* of the tokens */
};
ABI_SIZE(struct xf_health_control, 24);

/* Ring `events`: what is shown of a target has changed. */
struct xf_target_event {
	__u32 type; /* XF_EVENT_TARGET */
	__u32 index;
	__u64 time_ns;
	__u64 rtt_ns;	    /* 0: unknown */
	__u64 lateness_ns;  /* from the deadline that was missed to the decision */
	__u8 before, after; /* enum xf_health, as shown */
	__u8 cause;
	__u8 forced; /* 1: by an operator */
	__u8 icmp_type, icmp_code;
	__u8 zero[2];
};
ABI_SIZE(struct xf_target_event, 40);

#endif
