// SPDX-License-Identifier: GPL-2.0-or-later
// Durations as the configuration writes them: "300ms", "30s", "5d".
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace xdpflowd {

inline constexpr std::chrono::nanoseconds duration_max = std::chrono::hours(24 * 3650);

/// A positive whole number and one unit (us ms s m h d), nothing between or around them; at most
/// duration_max.
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);

struct DurationRange {
  std::chrono::nanoseconds least;
  std::chrono::nanoseconds most;
};

/// The same within bounds; a `least` of zero allows "0s".
Result<std::chrono::nanoseconds> parse_duration_within(std::string_view text, const DurationRange& range);

/// In the largest unit that leaves no remainder: 120 s are "2m", 90 s are "90s". Less than a microsecond:
/// "ns".
std::string format_duration(std::chrono::nanoseconds duration);

}  // namespace xdpflowd
