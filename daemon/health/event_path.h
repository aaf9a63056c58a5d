// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"

namespace xdpflowd {

/// The file at which a listening socket is found. Removed with its object, unless somebody has put another
/// one there.
class SocketFile {
 public:
  SocketFile() = default;
  explicit SocketFile(std::string path);  // one that is there
  SocketFile(SocketFile&& other) noexcept;
  SocketFile& operator=(SocketFile&& other) noexcept;
  ~SocketFile();

 private:
  std::string path_;  // "": none
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

struct EventPath {
  UniqueFd fd;  // non-blocking: a socket that listens, or a FIFO
  bool is_fifo = false;
  SocketFile file;  // the socket's; a FIFO belongs to who made it
};

/// Opens the FIFO that is at `path`, or listens there. A socket of a daemon that died is replaced; anything
/// else is an error.
Result<EventPath> open_event_path(const std::string& path);

}  // namespace xdpflowd
