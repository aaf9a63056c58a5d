// SPDX-License-Identifier: GPL-2.0-or-later
#include "../support/parser_in_user_space.h"

#include "user_parser.h"

struct user_parsed parse_in_user_space(const uint8_t *bytes, size_t size)
{
	struct packet pkt;
	struct user_parsed parsed = {.unparsed = parse_bytes(bytes, size, &pkt)};

	parsed.bytes = pkt.bytes;
	if (parsed.unparsed != PARSED)
		return parsed;
	parsed.icmp_error = pkt.icmp_error;
	parsed.l4_proto = pkt.l4_proto;
	parsed.from_high = make_key(&parsed.key, &pkt, 0) == HIGH_END;
	parsed.phase = key_tag(&parsed.key) << 8 | XF_PHASE_LIVE;
	return parsed;
}
