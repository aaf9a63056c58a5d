// SPDX-License-Identifier: GPL-2.0-or-later
// Words for error messages about something the operator wrote.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace xdpflowd {

bool has_control(std::string_view text);

/// With control characters as \xNN: on one line and safe for a terminal.
std::string printable(std::string_view text);

/// Printable and in quotes; cut when very long.
std::string in_quotes(std::string_view text);

/// `did you mean "x"?` if one of `known` is close to `word`, else `known here: x, y, z`.
std::string suggestion(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace xdpflowd
