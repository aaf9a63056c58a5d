/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contract between the BPF programs and user space: every key, value, record and index that crosses the
 * border. Plain C, included unchanged by both sides. All times are CLOCK_MONOTONIC nanoseconds. Padding is
 * named and zero. The hash of these types is the layout version of the pinned maps. A newer version carries
 * over what an older one pinned, member by member, by their names: so a name keeps its meaning for ever, and
 * enumerators are only ever appended.
 */
#ifndef XDPFLOW_ABI_H
#define XDPFLOW_ABI_H

#include <linux/bpf.h>
#include <linux/types.h>

#ifdef __cplusplus
#define ABI_SIZE(type, size) static_assert(sizeof(type) == (size), "size of " #type)
#else
#define ABI_SIZE(type, size) _Static_assert(sizeof(type) == (size), "size of " #type)
#endif

enum {
	XF_ZONES_MAX = 64,
	XF_INTERFACES_MAX = 256,
	XF_ZONE_NAME_SIZE = 40, /* 32 characters, NUL, padding */
	XF_IFNAME_SIZE = 16,	/* IFNAMSIZ */
	XF_HISTOGRAM_BUCKETS = 32,
	XF_ADMIN_BATCH_MAX = 1024, /* keys in one run of the admin program */
	XF_ADOPT_BATCH_MAX = 256,  /* struct xf_adopted in one run ... */
	XF_ADD_BATCH_MAX = 128,	   /* ... and struct xf_addend: the kernel takes about 70 KB */
};

/* The order of the layouts: whoever changes one raises this. 0: one of before there were numbers. */
enum { XF_LAYOUT_REVISION = 4 };

/* ---- flows ---- */

/* The two tables of a zone. */
enum xf_table {
	XF_TABLE_HALF_OPEN,
	XF_TABLE_ESTABLISHED,
	XF_TABLES,
};

/* An IPv6 address, or an IPv4 one behind ::ffff:0:0/96 (RFC 4291, section 2.5.5.2). */
struct xf_addr {
	__be32 word[4];
};

/*
 * One end is `low`, the other `high`: the order of (address, port) compared as big-endian numbers, so that
 * both directions of a conversation have one key. Who started it is in the value.
 */
struct xf_flow_key {
	struct xf_addr low, high;
	__be16 low_port, high_port; /* ICMP echo: the identifier in both */
	__u8 l4_proto;
	__u8 zone;
	__u8 fragment; /* 1: the port-less flow of later fragments */
	__u8 zero;
} __attribute__((aligned(8)));
ABI_SIZE(struct xf_flow_key, 40);

/* nf_conntrack's TCP states, then the two of every other protocol. */
enum xf_state {
	XF_STATE_NONE,
	XF_STATE_SYN_SENT,
	XF_STATE_SYN_RECV,
	XF_STATE_ESTABLISHED,
	XF_STATE_FIN_WAIT,
	XF_STATE_CLOSE_WAIT,
	XF_STATE_LAST_ACK,
	XF_STATE_TIME_WAIT,
	XF_STATE_CLOSE,
	XF_STATE_SYN_SENT2, /* simultaneous open */
	XF_STATE_UNREPLIED,
	XF_STATE_REPLIED,
	XF_STATES,
};

/* nf_conntrack's timeouts. */
enum xf_timeout {
	XF_TIMEOUT_TCP_SYN_SENT,
	XF_TIMEOUT_TCP_SYN_RECV,
	XF_TIMEOUT_TCP_ESTABLISHED,
	XF_TIMEOUT_TCP_FIN_WAIT,
	XF_TIMEOUT_TCP_CLOSE_WAIT,
	XF_TIMEOUT_TCP_LAST_ACK,
	XF_TIMEOUT_TCP_TIME_WAIT,
	XF_TIMEOUT_TCP_CLOSE,
	XF_TIMEOUT_UDP,
	XF_TIMEOUT_UDP_STREAM,
	XF_TIMEOUT_ICMP,
	XF_TIMEOUT_GENERIC,
	XF_TIMEOUTS,
	/*
	 * The map has a row of XF_TIMEOUTS for each table: user space caps TCP's of the half-open row at
	 * tcp_syn_sent, and udp_stream's at udp, so that no half-open entry outlives its protocol's first
	 * timeout.
	 */
	XF_TIMEOUT_SLOTS = XF_TABLES * XF_TIMEOUTS,
};

/* Each step is taken by compare-and-swap, so that it has one winner. Zero is never in a table. */
enum xf_phase {
	XF_PHASE_LIVE = 1,
	XF_PHASE_ENDED,	  /* has its record; waits for the reaper */
	XF_PHASE_REAPING, /* somebody is deleting it */
};

enum xf_flow_flag {
	XF_FLOW_FIN_FORWARD = 1 << 0,
	XF_FLOW_FIN_REVERSE = 1 << 1,
	XF_FLOW_SYN = 1 << 2,	       /* began with the initiator's SYN; else picked up mid-stream */
	XF_FLOW_SYNACK = 1 << 3,       /* the responder's SYN-ACK was seen: `synack_next` is valid */
	XF_FLOW_REPLIED = 1 << 4,      /* the responder was seen: direction "both" */
	XF_FLOW_HIGH_STARTED = 1 << 5, /* the initiator is the key's `high` end */
	XF_FLOW_ORPHAN = 1 << 6,       /* has no timer of its own: the reaper expires it */
	XF_FLOW_ESTABLISHED = 1 << 7,  /* lives in the established table */
	XF_FLOW_CARRIED = 1 << 8,      /* came from a data plane of another layout */
};

/* One word, so that a state transition is one compare-and-swap. */
union xf_status {
	struct {
		__u8 state;   /* enum xf_state */
		__u8 timeout; /* slot of the map `timeouts` */
		__u16 flags;  /* enum xf_flow_flag */
	};
	__u32 word;
};
ABI_SIZE(union xf_status, 4);

struct xf_count {
	__u64 packets;
	__u64 bytes; /* layer 3, IP header included */
};

/* What a packet touches comes first. The size makes an LRU element (48 + key + value) exactly three cache
 * lines. */
struct xf_flow {
	__u32 phase; /* key tag << 8 | enum xf_phase: a reused element fails the compare-and-swap of the flow
			that was there */
	union xf_status status;
	__u64 last_seen_ns;	 /* early by up to two ticks */
	struct xf_count forward; /* from the initiator */
	struct xf_count reverse;
	__u64 created_ns;
	__u32 icmp_errors;
	__u32 synack_next; /* host order: the acknowledgment number that proves the handshake */
	struct bpf_timer timer;
	__u32 generation; /* whose callback the timer runs */
	__u32 zero32;
	__u64 zero[2];
};
ABI_SIZE(struct xf_flow, 104);

/* ---- what ends and what is swept ---- */

/* Element of the queue `ended`. */
struct xf_ended {
	struct xf_flow_key key;
	__u64 ended_ns;
	__u32 table; /* enum xf_table */
	__u32 zero;
};
ABI_SIZE(struct xf_ended, 56);

/* Element of the queue `orphans`: `created_ns` tells a flow from a later one with the same key. */
struct xf_orphan {
	struct xf_flow_key key;
	__u64 created_ns;
	__u64 look_ns; /* not before this */
	__u32 table;
	__u32 pass; /* of the reaper over the queue, the last that met it */
};
ABI_SIZE(struct xf_orphan, 64);

/* Of the map `crowds`: a zone's half-open table. */
struct xf_crowd {
	struct bpf_timer timer; /* looks at it */
	__u64 asked_ns;		/* when packets last started the timer */
	__u64 until_ns;		/* taken as full until then */
};
ABI_SIZE(struct xf_crowd, 32);

/* The one element of the map `reaper`. */
struct xf_reaper {
	struct bpf_timer timer;
	__u32 awake; /* 1 from a wake-up until the last look at the queues */
	__u32 orphan_pass;
	__u64 heartbeat_ns;  /* start of the last run, or the wake-up after which it must run */
	__u64 orphan_due_ns; /* when the next bite of orphans is due */
	__u64 next_look_ns;  /* when the next pass over the orphans is */
	__u32 sweeping;	     /* 1 while a pass is not over */
	__u32 orphans;	     /* in the queue, or taken out for a look */
};
ABI_SIZE(struct xf_reaper, 56);

/* ---- rings ---- */

enum xf_reason {
	XF_REASON_IDLE,
	XF_REASON_CLOSED,
	XF_REASON_RESET,
	XF_REASON_REPLACED,
	XF_REASON_FLUSHED,
	XF_REASONS,
};

/* Ring `records`: one for each flow that ended. */
struct xf_record {
	struct xf_flow_key key;
	struct xf_count forward, reverse;
	__u64 created_ns, last_seen_ns, ended_ns;
	__u32 icmp_errors;
	union xf_status status;
	__u8 reason; /* enum xf_reason */
	__u8 zero[7];
};
ABI_SIZE(struct xf_record, 112);

enum xf_event_type {
	XF_EVENT_REAPER_REVIVED =
		1,	 /* the reaper missed its heartbeat for a second and was restarted by a packet */
	XF_EVENT_TARGET, /* a struct xf_target_event */
};

/* Ring `events`: rare news that a flood of records must never cost. */
struct xf_event {
	__u32 type; /* enum xf_event_type */
	__u32 zero;
	__u64 time_ns;
};
ABI_SIZE(struct xf_event, 16);

/* ---- counters: per CPU, only ever rising, summed by the reader ---- */

enum xf_verdict {
	XF_VERDICT_TRACKED,
	XF_VERDICT_CREATED,
	XF_VERDICT_UNTRACKED,
	XF_VERDICTS,
};

/* Why the parser gave a frame back to the stack. */
enum xf_unparsed {
	XF_UNPARSED_ARP,
	XF_UNPARSED_ND, /* neighbour discovery and multicast listener discovery */
	XF_UNPARSED_NON_IP,
	XF_UNPARSED_VLAN_DEPTH, /* more than two tags */
	XF_UNPARSED_TRUNCATED,
	XF_UNPARSED_BAD_IP,
	XF_UNPARSED_BAD_L4,
	XF_UNPARSED_EXTENSIONS, /* more IPv6 extension headers than are followed */
	XF_UNPARSED,
};

/* Why a frame is not counted on a flow. */
enum xf_untracked {
	XF_UNTRACKED_UNPARSED,
	XF_UNTRACKED_NO_ZONE,	    /* no zone for this interface and VLAN */
	XF_UNTRACKED_UNKNOWN_ERROR, /* an ICMP error about no known flow */
	XF_UNTRACKED_REAPING,	    /* its entry was just being deleted */
	XF_UNTRACKED_NO_ENTRY,	    /* the table refused the new flow; see xf_error */
	XF_UNTRACKED_INACTIVE,	    /* this generation is not the active one */
	XF_UNTRACKED_PROBE,	    /* belongs to a probe of ours */
	XF_UNTRACKED,
};

struct xf_interface_stats {
	__u64 packets[XF_VERDICTS];
	__u64 bytes; /* layer 3; the frame's linear part where there is no IP header */
	__u64 unparsed[XF_UNPARSED];
	__u64 untracked[XF_UNTRACKED];
};
ABI_SIZE(struct xf_interface_stats, 19 * 8);

/* created = live + ended + evicted; promoted flows left one table for the other. */
struct xf_zone_stats {
	__u64 created;
	__u64 promoted;
	__u64 ended[XF_TABLES][XF_REASONS];
	__u64 orphaned; /* flows that became orphans ... */
	__u64 adopted;	/* ... and that stopped being one: given a timer, ended, or gone */
};
ABI_SIZE(struct xf_zone_stats, 14 * 8);

/* What bpf_timer_init() answered. */
enum xf_timer_failure {
	XF_TIMER_NOMEM,
	XF_TIMER_BUSY,
	XF_TIMER_PERM,
	XF_TIMER_OTHER,
	XF_TIMER_FAILURES,
};

enum xf_callback {
	XF_CALLBACK_REARMED,
	XF_CALLBACK_ENDED,
	XF_CALLBACKS,
};

enum xf_lost {
	XF_LOST_RECORD,
	XF_LOST_EVENT,
	XF_LOST,
};

/* Every other helper that can fail. */
enum xf_error {
	XF_ERROR_INSERT_NOMEM,
	XF_ERROR_INSERT_BUSY,
	XF_ERROR_INSERT_OTHER,
	XF_ERROR_INSERT_VANISHED, /* evicted between insert and second look */
	XF_ERROR_DELETE,
	XF_ERROR_TIMER_CALLBACK, /* bpf_timer_set_callback() */
	XF_ERROR_TIMER_START,
	XF_ERROR_ENDED_PUSH,   /* queue `ended` full: tried again by the flow's timer */
	XF_ERROR_ORPHAN_PUSH,  /* queue `orphans` full: the flow stays until its table needs the room */
	XF_ERROR_NO_INTERFACE, /* a frame from an interface without any rule: attached by a stranger */
	XF_ERROR_DUE_PUSH,     /* ring `due_probes` full: tried again by the target's timer */
	XF_ERRORS,
};

struct xf_global_stats {
	__u64 timer_failures[XF_TIMER_FAILURES];
	__u64 callbacks[XF_CALLBACKS];
	__u64 lost[XF_LOST];
	__u64 errors[XF_ERRORS];
};
ABI_SIZE(struct xf_global_stats, 19 * 8);

enum xf_histogram_index {
	XF_HISTOGRAM_LATENESS,	 /* from a flow's deadline to its end by its own timer or the reaper */
	XF_HISTOGRAM_REAP_DELAY, /* from a flow's end to its deletion */
	XF_HISTOGRAM_PROBE_RTT,
	XF_HISTOGRAM_PROBE_DELAY,      /* from when a probe was due to when it was built */
	XF_HISTOGRAM_VERDICT_LATENESS, /* from a probe's deadline to the verdict */
	XF_HISTOGRAMS,
};

/* Bucket i counts values of at most 2^i microseconds; the last one everything above. */
struct xf_histogram {
	__u64 bucket[XF_HISTOGRAM_BUCKETS];
	__u64 sum_ns;
};
ABI_SIZE(struct xf_histogram, 33 * 8);

/* ---- configuration that the data plane reads or the tools show; written by the daemon ---- */

/* Key of `zone_rules`. vlan 0: untagged frames, and tagged ones without a rule of their own. */
struct xf_zone_rule_key {
	__u32 ifindex;
	__u16 vlan; /* outer VLAN id, host order */
	__u16 zero;
};
ABI_SIZE(struct xf_zone_rule_key, 8);

enum { XF_NO_ZONE = 255 };

struct xf_zone_rule {
	__u16 interface; /* index of `interfaces` and `interface_stats` */
	__u8 zone;	 /* or XF_NO_ZONE: only some VLANs of this interface have one */
	__u8 has_vlans;	 /* on the rule with vlan 0: look for one of the frame's own VLAN first */
};
ABI_SIZE(struct xf_zone_rule, 4);

/* Element of `rule_cache`, at the interface's index: its rule for vlan 0 once more. */
struct xf_cached_rule {
	struct xf_zone_rule rule;
	__u32 valid; /* 0: none here, ask `zone_rules` */
};
ABI_SIZE(struct xf_cached_rule, 8);

enum { XF_RULE_CACHE_SIZE = 65536 };

/* Element of `zones`. An index keeps its name for the life of the pins. */
struct xf_zone {
	char name[XF_ZONE_NAME_SIZE]; /* "" if unused */
	__u32 promote_packets;
	__u32 max_flows;     /* the established table's size */
	__u32 max_half_open; /* the half-open table's size */
	__u32 zero;
};
ABI_SIZE(struct xf_zone, 56);

enum xf_mode {
	XF_MODE_DETACHED,
	XF_MODE_NATIVE,
	XF_MODE_GENERIC,
};

/* Element of `interfaces`. An index keeps its name, and so its counters, for the life of the pins. */
struct xf_interface {
	char name[XF_IFNAME_SIZE]; /* "" if unused */
	__u32 ifindex;
	__u8 mode;	 /* enum xf_mode */
	__u8 dispatcher; /* 1: beside other programs under libxdp's dispatcher */
	__u8 zone;	 /* of untagged frames, or XF_NO_ZONE */
	__u8 zero;
};
ABI_SIZE(struct xf_interface, 24);

/* The one element of `control`. */
struct xf_control {
	__u64 layout;		 /* hash of these types: another value is another layout */
	__u64 build;		 /* hash of the loaded objects: the same value needs no new programs */
	__u32 generation;	 /* counts the loads of the data plane, from 1 */
	__u32 records_enabled;	 /* 0: nobody wants records, none is reserved */
	__u64 heartbeat_ns;	 /* of the daemon */
	__u32 pid;		 /* of the daemon that wrote the heartbeat */
	__u32 records_watermark; /* bytes in the ring that wake the reader */
	char version[24];	 /* of the daemon that loaded the programs */
	__u64 netns;		 /* inode of the network namespace whose interfaces these are */
	__u32 former_program;	 /* id of the packet program before, which timers may still hold; 0: freed */
	__u32 former_generation; /* its generation */
	__u32 incoming;	    /* generation that counts too while it takes the hooks over one by one; 0: none */
	__u32 revision;	    /* XF_LAYOUT_REVISION */
	__u32 carried_rows; /* of the totals of a former layout: so many were added to these */
	__u32 zero;
};
ABI_SIZE(struct xf_control, 96);

/* Element of `ledger`, one per table: what the kernel does not count. Kept by the daemon, never falls. */
struct xf_ledger {
	__u64 evicted;
	__s64 estimate; /* the last one: `evicted` rises to the smaller of two */
};
ABI_SIZE(struct xf_ledger, 16);

/* ---- health ---- */

#include "xdpflow/abi_targets.h"

/* ---- the programs that user space runs with BPF_PROG_RUN ---- */

enum xf_admin_op {
	XF_ADMIN_START_REAPER = 1, /* no keys; returns 0, or the negative error of the timer helper */
	XF_ADMIN_FLUSH,		   /* ends the flows with these keys; returns how many it ended */
	XF_ADMIN_REARM, /* sets these flows' timers to what is left of their deadlines; returns how many */
	XF_ADMIN_MOVE, /* brings these flows of a former table into the one that replaced it; returns how many
			  are left behind */
};

enum xf_carry_op {
	XF_CARRY_FLOWS = 1, /* takes in flows of a former layout (struct xf_adopted); returns how many found
			       no place */
	XF_CARRY_TOTALS, /* adds rows of its totals (struct xf_addend), each once; returns how many it added
			  */
};

/* Head of the frame given to the programs admin and carry; `count` keys, or what else the operation takes,
 * follow. */
struct xf_run_request {
	__u32 op; /* of the program's */
	__u32 table;
	__u32 count;
	__u32 zero;
};
ABI_SIZE(struct xf_run_request, 16);

struct xf_adopted {
	struct xf_flow_key key;
	struct xf_flow flow; /* phase, timeout, timer and generation are not looked at */
};
ABI_SIZE(struct xf_adopted, 144);

enum xf_total {
	XF_TOTAL_INTERFACE,
	XF_TOTAL_ZONE,
	XF_TOTAL_GLOBAL,
	XF_TOTAL_HISTOGRAM,
	XF_TOTALS,
};

/* Which element of which map of totals. */
struct xf_addend_head {
	__u32 row;   /* the place in the order of all rows: not added unless it is control.carried_rows */
	__u32 total; /* enum xf_total */
	__u32 index;
	__u32 zero;
};
ABI_SIZE(struct xf_addend_head, 16);

/* What is added to its counters. */
struct xf_addend {
	struct xf_addend_head head;
	__u64 word[XF_HISTOGRAM_BUCKETS + 1]; /* the largest element there is */
};
ABI_SIZE(struct xf_addend, 280);

enum xf_census_op {
	XF_CENSUS_COUNT, /* fills in `count` and `former` */
	XF_CENSUS_WATCH, /* from now on, full half-open tables are told by the map `crowds` */
};

/* The frame given to the census program. */
struct xf_census {
	__u32 op;	 /* enum xf_census_op */
	__u32 index;	 /* of the array of tables: zone * XF_TABLES + table */
	__u32 supported; /* out: 0 where the kernel has no bpf_map_sum_elem_count (before 6.6) */
	__u32 zero;
	__u64 count;  /* out: the former table's included */
	__u64 former; /* out: of these, in the former table */
};
ABI_SIZE(struct xf_census, 32);

/* The frame given to the clock program: what it fills in, read in this order. */
struct xf_clock {
	__u64 coarse_ns; /* CLOCK_MONOTONIC_COARSE */
	__u64 jiffies;
	__u64 now_ns; /* CLOCK_MONOTONIC */
};
ABI_SIZE(struct xf_clock, 24);

#endif
