// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/record_sink.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/log.h"

namespace xdpflowd {

Status RecordSink::reopen() {
  // O_NONBLOCK: a FIFO without a reader must not stop the daemon. Regular files ignore it.
  UniqueFd file(
      ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640));
  if (!file) return system_error(errno, "cannot open the records file " + path_);
  file_ = std::move(file);
  torn_ = false;
  return ok();
}

Status RecordSink::move_to(const std::string& path) {
  RecordSink other(path);
  if (auto opened = other.reopen(); !opened) return opened;
  path_ = path;
  file_ = std::move(other.file_);
  torn_ = false;
  return ok();
}

/// Also opens the file anew if somebody deleted it, for what is written to a deleted file is lost without an
/// error.
Status RecordSink::ensure_open() {
  struct stat file {};
  if (file_ && (fstat(file_.get(), &file) != 0 || file.st_nlink > 0)) return ok();
  return reopen();
}

void RecordSink::write(std::string_view lines) {
  if (lines.empty()) return;
  if (const Status open = ensure_open(); !open) return note_failure(open.error(), lines);

  if (torn_) {
    if (const auto ended = write_some("\n"); !ended) return note_failure(ended.error(), lines);
    torn_ = false;
  }
  size_t written = 0;
  while (written < lines.size()) {
    const auto more = write_some(lines.substr(written));
    if (!more) {
      const size_t whole = lines.substr(0, written).rfind('\n') + 1;  // npos + 1 is 0
      take_back(written - whole);
      return note_failure(more.error(), lines.substr(whole));
    }
    written += *more;
  }
  note_success();
}

Result<size_t> RecordSink::write_some(std::string_view bytes) {
  for (;;) {
    const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written > 0) return static_cast<size_t>(written);
    if (written < 0 && errno == EINTR) continue;
    return system_error(written < 0 ? errno : EIO, "cannot write to the records file " + path_);
  }
}

/// Removes the beginning of a line whose end found no room.
void RecordSink::take_back(size_t bytes) {
  if (bytes == 0) return;
  struct stat file {};
  torn_ = fstat(file_.get(), &file) != 0 || file.st_size < static_cast<off_t>(bytes) ||
          ftruncate(file_.get(), file.st_size - static_cast<off_t>(bytes)) != 0;
}

void RecordSink::note_failure(const Error& error, std::string_view unwritten) {
  if (!failing_) {
    log::error("{}; records are lost and counted until it can be written again", error.message);
    lost_before_ = lost_;
    failing_ = true;
  }
  lost_ += static_cast<uint64_t>(std::ranges::count(unwritten, '\n'));
}

void RecordSink::note_success() {
  if (!failing_) return;
  failing_ = false;
  log::warn("the records file {} can be written again; records lost meanwhile: {}", path_,
            lost_ - lost_before_);
}

}  // namespace xdpflowd
