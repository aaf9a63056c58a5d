/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `spread` does on one CPU, set by the bench between runs; a cache line. */
#ifndef XDPFLOW_SPREAD_JOB_H
#define XDPFLOW_SPREAD_JOB_H

#include <linux/types.h>

enum { SPREAD_CPUS = 64 };

struct spread_job {
  __u32 target;         /* index of `programs` */
  __u32 address_offset; /* in the frame: of the four bytes of an address that tell flows apart */
  __u32 first;
  __u32 flows;  /* never 0 */
  __u32 random; /* 1: any of them; 0: one after the other */
  __u32 next;
  __u32 zero[10];
};

#endif
