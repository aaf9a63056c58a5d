// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/former_layout.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <vector>

#include "dataplane/pin_paths.h"

namespace xdpflowd {
namespace {

namespace fs = std::filesystem;

/// A renamed folder is one that is being removed: half of it is never taken for the whole.
std::string done_dir(const std::string& state_dir) {
  return former_layout_dir(state_dir) + "_done";
}

bool is_there(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

Status remove_whole(const std::string& path) {
  std::error_code failed;
  fs::remove_all(path, failed);
  return failed ? system_error(failed.value(), "cannot remove " + path) : ok();
}

/// In the order in which they are to be moved away: while `control` is there, so is the state.
Result<std::vector<fs::path>> pins_below(const std::string& folder, const std::string& but) {
  std::vector<fs::path> found;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed))
    if (entry.path() != but) found.push_back(entry.path());
  if (failed) return system_error(failed.value(), "cannot read " + folder);
  std::stable_partition(found.begin(), found.end(),
                        [](const auto& path) { return path.filename() != "control"; });
  return found;
}

Status move_to(const fs::path& pin, const std::string& folder) {
  std::error_code failed;
  fs::rename(pin, fs::path(folder) / pin.filename(), failed);
  return failed ? system_error(failed.value(), "cannot move " + pin.string() + " to " + folder) : ok();
}

}  // namespace

Result<Aside> look_aside(const std::string& state_dir) {
  if (auto removed = remove_whole(done_dir(state_dir)); !removed) return removed.error();
  const auto folder = former_layout_dir(state_dir);
  if (!is_there(folder)) return Aside::nothing;
  return is_there(map_pin(folder, "control")) ? Aside::all : Aside::some;
}

Status set_aside(const std::string& state_dir) {
  const auto folder = former_layout_dir(state_dir);
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return system_error(errno, "cannot make " + folder);
  const auto pins = pins_below(state_dir, folder);
  if (!pins) return pins.error();
  for (const auto& pin : *pins)
    if (auto moved = move_to(pin, folder); !moved) return moved;
  return ok();
}

Status put_back(const std::string& state_dir) {
  const auto folder = former_layout_dir(state_dir);
  auto pins = pins_below(folder, "");
  if (!pins) return pins.error();
  std::ranges::reverse(*pins);
  for (const auto& pin : *pins)
    if (auto moved = move_to(pin, state_dir); !moved) return moved;
  return remove_whole(folder);
}

Status clear_beside(const std::string& state_dir) {
  const auto pins = pins_below(state_dir, former_layout_dir(state_dir));
  if (!pins) return pins.error();
  for (const auto& pin : *pins)
    if (auto removed = remove_whole(pin.string()); !removed) return removed;
  return ok();
}

Status drop_aside(const std::string& state_dir) {
  const auto folder = former_layout_dir(state_dir);
  if (!is_there(folder)) return ok();
  std::error_code failed;
  fs::rename(folder, done_dir(state_dir), failed);
  if (failed) return system_error(failed.value(), "cannot remove " + folder);
  return remove_whole(done_dir(state_dir));
}

}  // namespace xdpflowd
