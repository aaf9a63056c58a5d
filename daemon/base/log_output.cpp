// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/log_output.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace xdpflowd {
namespace {

class OneLine : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    for (const char c : message.payload) {
      const auto byte = static_cast<unsigned char>(c);
      out.push_back(byte < 0x20 || byte == 0x7f ? ' ' : c);
    }
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<OneLine>(); }
};

/// syslog's severity of a level, as a digit.
char priority_of(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::critical:
      return '2';
    case spdlog::level::err:
      return '3';
    case spdlog::level::warn:
      return '4';
    case spdlog::level::info:
      return '6';
    default:
      return '7';
  }
}

class Priority : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    out.push_back('<');
    out.push_back(priority_of(message.level));
    out.push_back('>');
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<Priority>(); }
};

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

bool stderr_is_journal() {
  struct stat status {};
  return fstat(STDERR_FILENO, &status) == 0 && is_journal(std::getenv("JOURNAL_STREAM"), status);
}

}  // namespace

void log::write_formatted(LogLevel level, fmt::string_view format, fmt::format_args arguments) {
  auto& logger = *spdlog::default_logger_raw();
  if (logger.should_log(spdlog_level(level)))
    logger.log(spdlog_level(level), fmt::vformat(format, arguments));
}

void start_log(LogLevel level) {
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();  // colours: only on a terminal
  sink->set_formatter(log_formatter(stderr_is_journal()));
  auto logger = std::make_shared<spdlog::logger>("xdpflowd", std::move(sink));
  logger->set_level(spdlog_level(level));
  spdlog::set_default_logger(std::move(logger));
}

bool is_journal(const char* journal_stream, const struct stat& status) {
  return journal_stream != nullptr &&
         journal_stream == std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

std::unique_ptr<spdlog::formatter> log_formatter(bool for_journal) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<Priority>('&').add_flag<OneLine>('*');
  formatter->set_pattern(for_journal ? "%&%*" : "%Y-%m-%dT%H:%M:%S.%e%z %^%-7l%$ %*");
  return formatter;
}

}  // namespace xdpflowd
