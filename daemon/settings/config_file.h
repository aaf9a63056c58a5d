// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "settings/settings.h"

namespace xdpflowd {

/// Every error is a usage error of one line. `ram_bytes` and `cpus` decide default and smallest sizes of
/// tables.
Result<Settings> load_settings(const std::string& path, uint64_t ram_bytes, unsigned cpus = possible_cpus());

/// `file_name` is for messages: `file:line:column: what is wrong; what would be right`.
Result<Settings> parse_settings(std::string_view text, const std::string& file_name, uint64_t ram_bytes,
                                unsigned cpus = possible_cpus());

}  // namespace xdpflowd
