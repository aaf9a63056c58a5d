// SPDX-License-Identifier: GPL-2.0-or-later
// What a single string of the configuration may be. Each error says what is wrong and, after a semicolon,
// what would be right.
#pragma once

#include <climits>
#include <string>
#include <string_view>

#include "base/result.h"
#include "settings/settings.h"

namespace xdpflowd {

Result<LogLevel> parse_log_level(std::string_view text);
Result<DispatcherPolicy> parse_dispatcher(std::string_view text);
Result<AttachMode> parse_attach_mode(std::string_view text);

/// The word that the file has for it.
std::string_view word_of(LogLevel level);
std::string_view word_of(DispatcherPolicy policy);
std::string_view word_of(AttachMode mode);

/// An absolute path that bpffs can hold; slashes at its end are dropped.
Result<std::string> parse_state_dir(std::string_view text);

/// An absolute path, or "".
Result<std::string> parse_records_file(std::string_view text);

/// An absolute path that a UNIX socket can have, or "".
Result<std::string> parse_events_socket(std::string_view text);

/// What may stand in passwd(5), or "". Whether there is such a user is seen when it is needed.
Result<std::string> parse_user_name(std::string_view text);

/// An absolute path of something that is no folder. `advice` stands behind the semicolon.
Result<std::string> parse_file_path(std::string_view text, const std::string& advice,
                                    size_t longest = PATH_MAX - 1);

/// HOST:PORT with a numeric host, IPv6 in brackets, or "". Port 0: any free one.
Result<std::string> parse_listen(std::string_view text);

/// What the kernel accepts as an interface's name, or a pattern of names. `advice` stands behind the
/// semicolon.
Result<std::string> parse_device_name(std::string_view text, const std::string& advice);
Result<std::string> parse_interface_name(std::string_view text);

Result<std::string> parse_zone_name(std::string_view text);

}  // namespace xdpflowd
