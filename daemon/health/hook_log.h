// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <string_view>

#include "base/log_level.h"

namespace xdpflowd {

/// Logs what one run of a hook writes, line by line. Long lines are cut, and after some lines the rest is
/// dropped: a hook gone wild must not fill the journal.
class HookLog {
 public:
  static constexpr size_t lines_max = 64;
  static constexpr size_t line_bytes_max = 1024;

  explicit HookLog(std::string target) : target_(std::move(target)) {}

  void take_out(std::string_view bytes) { take(out_, bytes); }
  void take_err(std::string_view bytes) { take(err_, bytes); }
  /// Logs what has no newline after it.
  void finish();

 private:
  struct Stream {
    LogLevel level;
    std::string line;  // begun
    bool cut = false;
  };

  void take(Stream& stream, std::string_view bytes);
  void append(Stream& stream, std::string_view bytes) const;
  void log(Stream& stream);

  std::string target_;
  Stream out_{LogLevel::info, {}};
  Stream err_{LogLevel::warn, {}};
  size_t lines_ = 0;
};

}  // namespace xdpflowd
