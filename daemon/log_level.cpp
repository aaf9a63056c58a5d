// SPDX-License-Identifier: GPL-2.0-or-later
#include "log_level.h"

#include "base/log.h"

namespace xdpflowd {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return spdlog::level::trace;
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

void start_log(LogLevel level) {
  start_log(spdlog_level(level));
}

}  // namespace xdpflowd
