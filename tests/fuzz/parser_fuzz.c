// SPDX-License-Identifier: GPL-2.0-or-later
/* The packet parser of the BPF programs, compiled for user space: any bytes, any length. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static __u64 whole_frame(struct xdp_md *ctx)
{
	return ctx->data_end - ctx->data;
}

/* As the kernel's: all of it, or nothing and an error. */
static long load_bytes(struct xdp_md *ctx, __u32 offset, void *to, __u32 size)
{
	if ((__u64)offset + size > whole_frame(ctx))
		return -1;
	memcpy(to, (void *)(uintptr_t)(ctx->data + offset), size);
	return 0;
}

#define bpf_xdp_get_buff_len whole_frame
#define bpf_xdp_load_bytes   load_bytes
#include "../../bpf/flow_key.h"

enum { PAGE = 4096, FRAME_MAX = 2 * PAGE };

/* The frame ends where a page begins that nobody may read: xdp_md has 32 bits for an address, so the
 * sanitizer's own allocator, which guards what it gives, cannot be used. */
static __u8 *end_of_frames(void)
{
	static __u8 *end;
	__u8 *pages;

	if (end)
		return end;
	pages = mmap(NULL, FRAME_MAX + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT,
		     -1, 0);
	if (pages == MAP_FAILED || mprotect(pages + FRAME_MAX, PAGE, PROT_NONE))
		abort();
	end = pages + FRAME_MAX;
	return end;
}

static struct packet reversed(struct packet pkt)
{
	struct packet other = pkt;

	other.src = pkt.dst;
	other.dst = pkt.src;
	other.sport = pkt.dport;
	other.dport = pkt.sport;
	return other;
}

/* Both directions of a conversation have one key. */
static void check_key(const struct packet *pkt)
{
	struct packet other = reversed(*pkt);
	struct xf_flow_key key, key_back;
	bool high = make_key(&key, pkt, 0), high_back = make_key(&key_back, &other, 0);
	bool is_same_end = !memcmp(&pkt->src, &pkt->dst, sizeof(pkt->src)) && pkt->sport == pkt->dport;

	assert(!memcmp(&key, &key_back, sizeof(key)));
	assert(is_same_end ? !high && !high_back : high != high_back);
}

static void check_offsets(const struct packet *pkt, __u32 size)
{
	assert(pkt->l3 >= sizeof(struct ethhdr) && pkt->l3 < size);
	assert(pkt->l4 > pkt->l3 && pkt->l4 <= size);
	assert(pkt->vlan <= VLAN_ID_MASK);
	assert(!pkt->fragment || (!pkt->sport && !pkt->dport));
	if (!pkt->icmp_error)
		assert(pkt->l3 + pkt->bytes <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct packet pkt = {0};
	struct xdp_md ctx = {0};
	int outcome;

	if (size > FRAME_MAX)
		return -1;
	memcpy(end_of_frames() - size, bytes, size);
	ctx.data = (__u32)(uintptr_t)(end_of_frames() - size);
	ctx.data_end = (__u32)(uintptr_t)end_of_frames();
	outcome = parse_packet(&ctx, &pkt);
	assert(outcome == PARSED || (outcome >= 0 && outcome < XF_UNPARSED));
	if (outcome != PARSED)
		return 0;
	check_offsets(&pkt, size);
	check_key(&pkt);
	return 0;
}
