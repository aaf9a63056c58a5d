// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "xdpflow/abi.h"

namespace xdpflowd {

/// A record as one line of JSON, without the newline. `realtime_offset_ns`: see base/clock.h.
std::string record_json(const xf_record& record, std::string_view zone, int64_t realtime_offset_ns);

/// RFC 3339 in UTC with nanoseconds: "2024-05-01T12:00:00.000000001Z". From the years 0 to 9999.
std::string rfc3339(int64_t unix_ns);

}  // namespace xdpflowd
