// SPDX-License-Identifier: GPL-2.0-or-later
// What the daemon says: log::info("{} flows", count). Goes to spdlog's default logger, see base/log_output.h.
#pragma once

#include <fmt/core.h>

#include "base/log_level.h"

namespace xdpflowd::log {

/// Formats in one place: spdlog's own templates cost the compiler seconds in each source that logs.
void write_formatted(LogLevel level, fmt::string_view format, fmt::format_args arguments);

template <class... Args>
void write(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  write_formatted(level, format, fmt::make_format_args(args...));
}

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  write_formatted(LogLevel::debug, format, fmt::make_format_args(args...));
}

template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write_formatted(LogLevel::info, format, fmt::make_format_args(args...));
}

template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  write_formatted(LogLevel::warn, format, fmt::make_format_args(args...));
}

template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write_formatted(LogLevel::error, format, fmt::make_format_args(args...));
}

}  // namespace xdpflowd::log
