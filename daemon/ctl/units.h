// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace xdpflowd {

/// "999B", "1.2MiB": no blank inside, so that a column stays one word.
std::string bytes_text(uint64_t bytes);

/// "0.4s", "42s", "4m12s", "3h5m", "4d23h": the two largest units, rounded down.
std::string duration_text(int64_t nanoseconds);

/// "412us", "1.23ms", "2.50s": three digits, rounded down.
std::string latency_text(int64_t nanoseconds);

}  // namespace xdpflowd
