/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `send` makes of its frame, set by the bench between runs. */
#ifndef XDPFLOW_LIVE_JOB_H
#define XDPFLOW_LIVE_JOB_H

#include <linux/types.h>

enum { LIVE_FRAME_SIZE = 60 }; /* 64 bytes on the wire, where a checksum follows */

struct live_job {
  __u8 frame[LIVE_FRAME_SIZE];       /* TCP over IPv4, without IP options; one of its addresses is 10.0.0.0 */
  __u8 fresh_frame[LIVE_FRAME_SIZE]; /* the first one of a flow */
  __u32 reverse;                     /* 1: the destination is that address; 0: the source is */
  __u32 first;
  __u32 flows;  /* never 0 */
  __u32 random; /* 1: any of them; 0: one after the other, from `next` on */
  __u32 next;
  __u32 fresh_every; /* each n-th packet is of a flow that never was; 0: none is */
  __u32 fresh;       /* the number of the next such flow */
  __u32 until_fresh; /* packets */
  __u32 scatter;     /* 1: the source's port is random too */
};

#endif
