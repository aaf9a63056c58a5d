// SPDX-License-Identifier: GPL-2.0-or-later
#include "xdpflow/abi.h"

#include <stddef.h>

size_t flow_size_in_c(void);
size_t record_size_in_c(void);
size_t flow_timer_offset_in_c(void);

size_t flow_size_in_c(void)
{
	return sizeof(struct xf_flow);
}
size_t record_size_in_c(void)
{
	return sizeof(struct xf_record);
}
size_t flow_timer_offset_in_c(void)
{
	return offsetof(struct xf_flow, timer);
}
