/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packet parser of the BPF programs, compiled for user space: the very source, with what the kernel has
 * for it in other clothes. For one C file of a program.
 */
#ifndef XDPFLOW_TEST_PARSER_IN_USER_SPACE_H
#define XDPFLOW_TEST_PARSER_IN_USER_SPACE_H

#include <linux/bpf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf_helpers.h>  // takes its types from <linux/bpf.h>

static __u64 whole_frame(struct xdp_md* ctx) {
  return ctx->data_end - ctx->data;
}

/* As the kernel's: all of it, or nothing and an error. */
static long load_bytes(struct xdp_md* ctx, __u32 offset, void* to, __u32 size) {
  if ((__u64)offset + size > whole_frame(ctx)) return -1;
  memcpy(to, (void*)(uintptr_t)(ctx->data + offset), size);
  return 0;
}

#define bpf_xdp_get_buff_len whole_frame
#define bpf_xdp_load_bytes load_bytes
#include "../../bpf/flow_key.h"

enum { PAGE = 4096, FRAME_MAX = 2 * PAGE };

/* The frame ends where a page begins that nobody may read: xdp_md has 32 bits for an address, so the
 * sanitizer's own allocator, which guards what it gives, cannot be used. */
static __u8* end_of_frames(void) {
  static __u8* end;
  __u8* pages;

  if (end) return end;
  pages =
      mmap(NULL, FRAME_MAX + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (pages == MAP_FAILED || mprotect(pages + FRAME_MAX, PAGE, PROT_NONE)) abort();
  end = pages + FRAME_MAX;
  return end;
}

/* As parse_packet(), of at most FRAME_MAX bytes. */
static int parse_bytes(const __u8* bytes, size_t size, struct packet* pkt) {
  struct xdp_md ctx = {0};
  __u8* frame = end_of_frames() - size;

  memcpy(frame, bytes, size);
  ctx.data = (__u32)(uintptr_t)frame;
  ctx.data_end = (__u32)(uintptr_t)end_of_frames();
  memset(pkt, 0, sizeof(*pkt));
  return parse_packet(&ctx, pkt);
}

#endif
