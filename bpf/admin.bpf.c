// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * User space's one way to change flow tables; run with BPF_PROG_RUN, attached nowhere. The frame is a struct
 * xf_run_request and its keys. Returns how many flows it changed, or a negative error.
 */
#include "flow_move.h"

char LICENSE[] SEC("license")
= "GPL";

struct batch {
	struct xdp_md *ctx;
	__u32 op;
	__u32 table;
	__u32 changed;
	__u64 now_ns;
};

static __noinline bool end_in(void *table, struct xf_flow_key *key, enum xf_reason reason, __u64 now_ns)
{
	struct xf_flow *flow = table ? bpf_map_lookup_elem(table, key) : NULL;

	if (!flow || !end_flow(key, flow, reason, now_ns))
		return false;
	if (!delete_ended(key, flow) && in_phase(flow, XF_PHASE_ENDED))
		hand_to_reaper(key, flow, now_ns);
	return true;
}

static __always_inline bool flush(struct xf_flow_key *key, __u32 which, __u64 now_ns)
{
	return is_table(key, which) &&
	       (end_in(flow_table(key->zone, which), key, XF_REASON_FLUSHED, now_ns) ||
		end_in(former_table(key->zone, which), key, XF_REASON_FLUSHED, now_ns));
}

enum { REARM_TRIES = 3 };

/*
 * For timers that were set by a longer timeout or run another generation's callback. Orphans have none, and
 * are looked at sooner; what ends has its own way out. Meanwhile a FIN may shorten this flow's deadline, or
 * its element become another's: what is left is compared once more, since only a timer that is too late does
 * harm.
 */
static __noinline bool rearm(struct xf_flow_key *key, __u32 which, __u64 now_ns)
{
	void *table = is_table(key, which) ? flow_table(key->zone, which) : NULL;
	struct xf_flow *flow = table ? bpf_map_lookup_elem(table, key) : NULL;
	__s64 left;

	if (!flow || !in_phase(flow, XF_PHASE_LIVE))
		return false;
	if (flow->status.flags & XF_FLOW_ORPHAN) {
		look_sooner(key, flow, now_ns);
		return false;
	}
	/* -EINVAL: not armed yet; who arms it uses the timeouts of then. */
	if (bpf_timer_set_callback(&flow->timer, on_idle_check))
		return false;
	flow->generation = generation;
	for (int i = 0; i < REARM_TRIES; i++) {
		left = left_ns(flow, now_ns);
		if (start_timer_quietly(flow, left, now_ns))
			return false;
		if (left_ns(flow, now_ns) >= left)
			break;
	}
	return true;
}

/* Another flow, that is: one as old is this one, which a packet is moving just now. */
static __always_inline bool is_place_taken(const struct xf_flow_key *key, __u32 which,
					   const struct xf_flow *flow)
{
	void *table = flow_table(key->zone, which);
	struct xf_flow *there = table ? bpf_map_lookup_elem(table, key) : NULL;

	return there && there->created_ns != flow->created_ns;
}

/*
 * True if it is left behind. One whose place in the new table is taken, since a packet met both tables while
 * they changed places, ends here; so does one that is overdue: a table whose last pin was removed has lost
 * its timers.
 */
static __noinline bool stays(struct xf_flow_key *key, __u32 which, __u64 now_ns)
{
	void *table = is_table(key, which) ? former_table(key->zone, which) : NULL;
	struct xf_flow *flow = table ? bpf_map_lookup_elem(table, key) : NULL;
	struct sighting s = {.now_ns = now_ns};

	if (!flow || !in_phase(flow, XF_PHASE_LIVE))
		return flow != NULL;
	if (left_ns(flow, now_ns) <= 0) {
		end_in(table, key, reason_of(status_now(flow)), now_ns);
		return true;
	}
	s.key = *key;
	if (move_flow(&s, flow, RESIZE))
		return false;
	if (is_place_taken(key, which, flow))
		end_in(table, key, XF_REASON_FLUSHED, now_ns);
	return true;
}

static __always_inline bool change_key(struct batch *batch, struct xf_flow_key *key)
{
	switch (batch->op) {
	case XF_ADMIN_FLUSH:
		return flush(key, batch->table, batch->now_ns);
	case XF_ADMIN_REARM:
		return rearm(key, batch->table, batch->now_ns);
	case XF_ADMIN_MOVE:
		return stays(key, batch->table, batch->now_ns);
	default:
		return false;
	}
}

static long change_one(__u32 i, struct batch *batch)
{
	struct xf_flow_key key;
	__u32 offset = sizeof(struct xf_run_request) + i * sizeof(key);

	if (bpf_xdp_load_bytes(batch->ctx, offset, &key, sizeof(key)))
		return 1;
	if (change_key(batch, &key))
		__sync_fetch_and_add(&batch->changed, 1);
	return 0;
}

static __always_inline long change_all(struct batch *batch, const struct xf_run_request *request)
{
	if (request->count > XF_ADMIN_BATCH_MAX)
		return -E2BIG;
	bpf_loop(request->count, change_one, batch, 0);
	return batch->changed;
}

SEC("xdp.frags")
int admin(struct xdp_md *ctx)
{
	struct batch batch = {.ctx = ctx, .now_ns = bpf_ktime_get_ns()};
	struct xf_run_request request;

	if (bpf_xdp_load_bytes(ctx, 0, &request, sizeof(request)))
		return -EINVAL;
	batch.op = request.op;
	batch.table = request.table;
	switch (request.op) {
	case XF_ADMIN_START_REAPER:
		return start_reaper(batch.now_ns);
	case XF_ADMIN_FLUSH:
	case XF_ADMIN_REARM:
	case XF_ADMIN_MOVE:
		return change_all(&batch, &request);
	default:
		return -EINVAL;
	}
}
