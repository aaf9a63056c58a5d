// SPDX-License-Identifier: GPL-2.0-or-later
/* The packet parser of the BPF programs, compiled for user space: any bytes, any length. */
#include <assert.h>

#include "../support/parser_in_user_space.h"

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
	assert(pkt->l4 > pkt->l3);
	assert(pkt->vlan <= VLAN_ID_MASK);
	assert(!pkt->fragment || (!pkt->sport && !pkt->dport));
	/* An error may quote a packet only up to somewhere in its extension headers. */
	assert(pkt->l4 <= (pkt->icmp_error ? OFFSET_MAX : size));
	if (!pkt->icmp_error)
		assert(pkt->l3 + pkt->bytes <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct packet pkt;
	int outcome;

	if (size > FRAME_MAX)
		return -1;
	outcome = parse_bytes(bytes, size, &pkt);
	assert(outcome == PARSED || (outcome >= 0 && outcome < XF_UNPARSED));
	if (outcome != PARSED)
		return 0;
	check_offsets(&pkt, size);
	check_key(&pkt);
	return 0;
}
