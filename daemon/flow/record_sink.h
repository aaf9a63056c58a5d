// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace xdpflowd {

/// Appends lines to a file. A full disk or a missing folder costs records, which are counted, and one line in
/// the log; each write tries again. Every line in the file is whole.
class RecordSink {
 public:
  explicit RecordSink(std::string path) : path_(std::move(path)) {}

  /// Opens the path anew: at the start, and after logrotate has moved the file. If it cannot, the file that
  /// is open stays in use.
  Status reopen();

  /// Goes on in another file; if that cannot be opened, the one that is open stays in use.
  Status move_to(const std::string& path);

  /// `lines`: whole lines, each with its newline. Does not wait, and does not fail: see lost().
  void write(std::string_view lines);

  /// Records that did not reach the file.
  uint64_t lost() const { return lost_; }

 private:
  Status ensure_open();
  Result<size_t> write_some(std::string_view bytes);
  void take_back(size_t bytes);
  void note_failure(const Error& error, std::string_view unwritten);
  void note_success();

  std::string path_;
  UniqueFd file_;
  bool torn_ = false;  // the file ends in half a line that could not be taken back
  bool failing_ = false;
  uint64_t lost_ = 0;
  uint64_t lost_before_ = 0;  // this outage
};

}  // namespace xdpflowd
