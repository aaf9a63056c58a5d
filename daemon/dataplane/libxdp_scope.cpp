// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/libxdp_scope.h"

#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

namespace xdpflowd {
namespace {

namespace fs = std::filesystem;

std::set<int> open_programs() {
  std::set<int> found;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd", failed)) {
    std::error_code closed;  // the directory's own descriptor, for one
    if (fs::read_symlink(entry.path(), closed) == "anon_inode:bpf-prog")
      found.insert(std::stoi(entry.path().filename()));
  }
  return found;
}

}  // namespace

LibxdpScope::LibxdpScope(std::function<std::set<int>()> keeps)
    : keeps_(std::move(keeps)), before_(open_programs()) {}

LibxdpScope::~LibxdpScope() {
  const auto kept = keeps_();
  for (const int fd : open_programs())
    if (!kept.contains(fd) && !before_.contains(fd)) close(fd);
}

}  // namespace xdpflowd
