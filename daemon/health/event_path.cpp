// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/event_path.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace xdpflowd {
namespace {

constexpr int backlog = 64;

std::string named(const std::string& path) {
  return "event socket " + path;
}

UniqueFd make_socket() {
  return UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return usage_error(named(path) + ": a socket's path has between 1 and " +
                       std::to_string(sizeof address.sun_path - 1) + " bytes");
  path.copy(address.sun_path, path.size());
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

/// Only a socket that nobody listens on is.
Status remove_stale(const std::string& path, const sockaddr_un& address) {
  const UniqueFd probe = make_socket();
  if (!probe) return system_error(errno, named(path));
  if (connect(probe.get(), generic(address), sizeof address) == 0 || errno == EAGAIN)
    return fail(named(path) + ": another process listens there; stop it or choose another path");
  if (errno != ECONNREFUSED) return system_error(errno, named(path) + ": a socket is there already");
  if (unlink(path.c_str()) != 0 && errno != ENOENT)
    return system_error(errno, named(path) + ": cannot remove what a dead process left");
  return ok();
}

Result<EventPath> listen_at(const std::string& path, const sockaddr_un& address) {
  EventPath made{make_socket(), false, {}};
  if (!made.fd || bind(made.fd.get(), generic(address), sizeof address) != 0)
    return system_error(errno, named(path));
  made.file = SocketFile(path);
  // By hand, because the umask may have kept the group from writing, which is what connecting takes.
  if (chmod(path.c_str(), 0660) != 0 || listen(made.fd.get(), backlog) != 0)
    return system_error(errno, named(path));
  return made;
}

/// For reading too: so it can be opened without a reader, and readers may come and go.
Result<EventPath> open_fifo(const std::string& path) {
  EventPath made{UniqueFd(open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)), true, {}};
  struct stat status {};
  if (!made.fd || fstat(made.fd.get(), &status) != 0) return system_error(errno, "event FIFO " + path);
  if (!S_ISFIFO(status.st_mode)) return fail("event FIFO " + path + ": is none any more");
  return made;
}

}  // namespace

SocketFile::SocketFile(std::string path) : path_(std::move(path)) {
  struct stat status {};
  if (lstat(path_.c_str(), &status) != 0) path_.clear();
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

SocketFile::SocketFile(SocketFile&& other) noexcept
    : path_(std::exchange(other.path_, "")), device_(other.device_), inode_(other.inode_) {}

SocketFile& SocketFile::operator=(SocketFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(device_, other.device_);
  std::swap(inode_, other.inode_);
  return *this;
}

SocketFile::~SocketFile() {
  struct stat status {};
  if (path_.empty() || lstat(path_.c_str(), &status) != 0) return;
  if (status.st_dev == device_ && status.st_ino == inode_) unlink(path_.c_str());
}

Result<EventPath> open_event_path(const std::string& path) {
  auto address = address_of(path);
  if (!address) return address.error();
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    if (errno != ENOENT) return system_error(errno, named(path));
    return listen_at(path, *address);
  }
  if (S_ISFIFO(status.st_mode)) return open_fifo(path);
  if (!S_ISSOCK(status.st_mode))
    return fail(named(path) +
                ": something is there that is neither a socket nor a FIFO; remove it or choose another path");
  if (auto removed = remove_stale(path, *address); !removed) return removed.error();
  return listen_at(path, *address);
}

}  // namespace xdpflowd
