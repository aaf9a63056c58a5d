// SPDX-License-Identifier: GPL-2.0-or-later
// Log to stderr, one line per message, in the form that its reader (the journal, or a person or file)
// expects.
#pragma once

#include <spdlog/formatter.h>
#include <sys/stat.h>

#include <memory>

#include "base/log.h"

namespace xdpflowd {

/// Makes spdlog's default logger write to stderr, from `level` on. May be called again, to change it.
void start_log(LogLevel level);

/// Whether the file that `status` describes is the journal: systemd puts its "device:inode" into
/// $JOURNAL_STREAM.
bool is_journal(const char* journal_stream, const struct stat& status);

/// For the journal: "<priority>message", as sd-daemon(3) has it. Otherwise: time, level, message.
/// Control characters in a message, newlines above all, become spaces.
std::unique_ptr<spdlog::formatter> log_formatter(bool for_journal);

}  // namespace xdpflowd
