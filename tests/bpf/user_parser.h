/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parser of the packet program makes of a frame when user space runs it. */
#ifndef XDPFLOW_TEST_USER_PARSER_H
#define XDPFLOW_TEST_USER_PARSER_H

#include <stddef.h>
#include <stdint.h>

#include "xdpflow/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

struct user_parsed {
  int32_t unparsed; /* enum xf_unparsed; -1: there is a packet, and all below is said of it */
  uint32_t bytes;   /* layer 3; of what there is instead if there is no packet */
  uint8_t icmp_error;
  uint8_t from_high;
  uint8_t l4_proto;
  uint8_t zero;
  uint32_t phase; /* that a live flow with this key has */
  struct xf_flow_key key;
};

struct user_parsed parse_in_user_space(const uint8_t* bytes, size_t size);

#ifdef __cplusplus
}
#endif

#endif
