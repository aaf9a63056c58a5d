/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every map. All are pinned under state_dir by the daemon and outlive it. The names differ within the
 * kernel's 15 visible characters. The sizes given as 1 are set by the daemon before the load.
 */
#ifndef XDPFLOW_MAPS_H
#define XDPFLOW_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "xdpflow/abi.h"

/* One flow table: the type of every element of `tables`. Each is pinned itself, else its timers could not be
 * armed. */
struct flow_table {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct xf_flow_key);
	__type(value, struct xf_flow);
};

/* clang leaves the types of an inner map and of what rings carry out of the BTF: these keep them in, for the
 * layout's hash. */
const struct xf_flow_key flow_key_type = {};
const struct xf_flow flow_type = {};
const struct xf_record record_type = {};
const struct xf_event event_type = {};
const struct xf_target_event target_event_type = {};
const struct xf_due due_type = {};

/* zone * XF_TABLES + table -> flow table. Writer: daemon, when a zone is made. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, XF_ZONES_MAX *XF_TABLES);
	__type(key, __u32);
	__array(values, struct flow_table);
} tables SEC(".maps");

/* While a flow table is being replaced by one of another size: the one before, at the same index. Its flows
 * move out on their next packet, or by admin. Writer: daemon. Reader: whoever misses a flow in `tables`. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, XF_ZONES_MAX *XF_TABLES);
	__type(key, __u32);
	__array(values, struct flow_table);
} former_tables SEC(".maps");

/* Keys of flows that ended, for the reaper. Writer: timer callbacks. Reader: reaper. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__type(value, struct xf_ended);
} ended SEC(".maps");

/* Flows without a timer; as large as all tables together. Writer and reader: packets, reaper. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__type(value, struct xf_orphan);
} orphans SEC(".maps");

/* By zone: whether the half-open table is full. Writer: the census program. Reader: packets of new flows. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, XF_ZONES_MAX);
	__type(key, __u32);
	__type(value, struct xf_crowd);
} crowds SEC(".maps");

/* The reaper's timer and state. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_reaper);
} reaper SEC(".maps");

/* Idle timeouts in nanoseconds, a row of XF_TIMEOUTS for each table. Writer: daemon. Reader: packets,
 * callbacks. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, XF_TIMEOUT_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} timeouts SEC(".maps");

/* (interface, outer VLAN) -> zone. Writer: daemon. Reader: packets. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct xf_zone_rule_key);
	__type(value, struct xf_zone_rule);
} zone_rules SEC(".maps");

/* The rules for vlan 0 once more, found without a hash (a tenth of a packet's cost). Interfaces beyond its
 * end have none here. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, XF_RULE_CACHE_SIZE);
	__type(key, __u32);
	__type(value, struct xf_cached_rule);
} rule_cache SEC(".maps");

/* Names and knobs of the zones. Writer: daemon. Reader: packets of half-open flows, tools. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, XF_ZONES_MAX);
	__type(key, __u32);
	__type(value, struct xf_zone);
} zones SEC(".maps");

/* What is attached where. Writer: daemon. Reader: tools only. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, XF_INTERFACES_MAX);
	__type(key, __u32);
	__type(value, struct xf_interface);
} interfaces SEC(".maps");

/* Which generation is active, and whether records are wanted. Writer: daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_control);
} control SEC(".maps");

/* The evictions per table. Reader and writer: daemon; pinned so that they never fall. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, XF_ZONES_MAX *XF_TABLES);
	__type(key, __u32);
	__type(value, struct xf_ledger);
} ledger SEC(".maps");

/* Totals. Writer: packets and callbacks, each CPU its own. Reader: daemon, tools. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, XF_INTERFACES_MAX);
	__type(key, __u32);
	__type(value, struct xf_interface_stats);
} interface_stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, XF_ZONES_MAX);
	__type(key, __u32);
	__type(value, struct xf_zone_stats);
} zone_stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_global_stats);
} global_stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, XF_HISTOGRAMS);
	__type(key, __u32);
	__type(value, struct xf_histogram);
} histograms SEC(".maps");

/* Ended flows, struct xf_record each. Reader: daemon; what fits waits for the next daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
} records SEC(".maps");

/* struct xf_event. Apart from `records`, so that no flood of records costs an event. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

/* What is probed, and how. Writer: daemon. Reader: probe program, targets' timers, replies, tools. From 1. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, XF_TARGETS_MAX);
	__type(key, __u32);
	__type(value, struct xf_target_config);
} target_configs SEC(".maps");

/* Their timers and states. The daemon adds and removes elements, all else is the kernel's: only there is the
 * timer. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, XF_TARGETS_MAX);
	__type(key, __u32);
	__type(value, struct xf_target);
} targets SEC(".maps");

/* Whose reply a packet may be. Writer: daemon. Reader: packets to a port of ours. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, XF_TARGETS_MAX);
	__type(key, struct xf_probe_key);
	__type(value, __u32);
} probe_keys SEC(".maps");

/* Round trip times of single targets, where the configuration wants them: the daemon puts the elements there.
 * Writer: replies. Reader: daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, XF_TARGETS_MAX);
	__type(key, __u32);
	__type(value, struct xf_histogram);
} target_rtts SEC(".maps");

/* Writer: daemon. Reader: every packet. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_health_control);
} health SEC(".maps");

/* What the daemon asks the probe program, and the frames that it gets. Mapped by the daemon, which alone runs
 * that program. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, XF_PROBE_BATCH);
	__type(key, __u32);
	__type(value, struct xf_probe_frame);
} probe_frames SEC(".maps");

/* Targets whose probe is due, struct xf_due each. Writer: targets' timers. Reader: daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} due_probes SEC(".maps");

#endif
