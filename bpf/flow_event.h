/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reserve, fill, submit; count what was lost. */
#ifndef XDPFLOW_FLOW_EVENT_H
#define XDPFLOW_FLOW_EVENT_H

#include "counters.h"
#include "maps.h"

static __always_inline struct xf_control *control_of_daemon(void)
{
	__u32 index = 0;

	return bpf_map_lookup_elem(&control, &index);
}

/* The reader is woken once there is a batch for it; it looks by itself now and then for what is less. */
static __always_inline __u64 wake_at(__u32 watermark)
{
	return bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA) >= watermark ? BPF_RB_FORCE_WAKEUP
									   : BPF_RB_NO_WAKEUP;
}

/* An ended flow is what the LRU reuses next: a record that was filled while that happened would tell of two
 * flows. */
static __always_inline void emit_record(const struct xf_flow_key *key, const struct xf_flow *flow, __u32 tag,
					enum xf_reason reason, __u64 now_ns)
{
	struct xf_control *wanted = control_of_daemon();
	struct xf_record *record;

	if (!wanted || !wanted->records_enabled)
		return;
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record) {
		count_lost(XF_LOST_RECORD);
		return;
	}
	__builtin_memset(record, 0, sizeof(*record));
	record->key = *key;
	record->forward = flow->forward;
	record->reverse = flow->reverse;
	record->created_ns = flow->created_ns;
	record->last_seen_ns = flow->last_seen_ns;
	record->ended_ns = now_ns;
	record->icmp_errors = flow->icmp_errors;
	record->status = flow->status;
	record->reason = reason;
	if (*(const volatile __u32 *)&flow->phase >> 8 != tag) {
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
		count_lost(XF_LOST_RECORD);
		return;
	}
	bpf_ringbuf_submit(record, wake_at(wanted->records_watermark));
}

static __always_inline void emit_event(enum xf_event_type type, __u64 now_ns)
{
	struct xf_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		count_lost(XF_LOST_EVENT);
		return;
	}
	event->type = type;
	event->zero = 0;
	event->time_ns = now_ns;
	bpf_ringbuf_submit(event, 0);
}

#endif
