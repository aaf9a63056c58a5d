// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/state_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "dataplane/map_view.h"
#include "dataplane/pin_paths.h"
#include "xdpflow/abi.h"

namespace xdpflowd {
namespace {

constexpr int attempts = 20;
constexpr auto pause = std::chrono::milliseconds(10);

UniqueFd open_folder(const std::string& path) {
  return UniqueFd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/// False if `xdpflowctl unload` removed the folder between our open() and flock().
bool still_there(const UniqueFd& folder, const std::string& path) {
  struct stat locked {
  }, named{};
  return fstat(folder.get(), &locked) == 0 && stat(path.c_str(), &named) == 0 &&
         locked.st_ino == named.st_ino && locked.st_dev == named.st_dev;
}

Error busy(const std::string& state_dir) {
  std::string who = "another xdpflowd";
  auto control = ArrayMap<xf_control>::open_pin(map_pin(state_dir, "control"), BPF_MAP_TYPE_ARRAY);
  if (control) {
    auto value = control->get(0);
    if (value && value->pid != 0) who += " (pid " + std::to_string(value->pid) + ")";
  }
  Error error = fail(who + " runs on " + state_dir);
  error.code = EWOULDBLOCK;
  return error;
}

}  // namespace

Result<StateLock> StateLock::acquire(const std::string& state_dir) {
  for (int attempt = 0; attempt < attempts; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(pause);
    auto folder = open_folder(state_dir);
    if (!folder) return system_error(errno, "cannot open " + state_dir);
    if (flock(folder.get(), LOCK_EX | LOCK_NB) == 0) {
      if (still_there(folder, state_dir)) return StateLock(std::move(folder));
    } else if (errno != EWOULDBLOCK) {
      return system_error(errno, "cannot lock " + state_dir);
    }
  }
  return busy(state_dir);
}

bool daemon_running(const std::string& state_dir) {
  const auto folder = open_folder(state_dir);
  return folder && flock(folder.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace xdpflowd
