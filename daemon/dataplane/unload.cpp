// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/unload.h"

#include <bpf/bpf.h>
#include <linux/magic.h>
#include <net/if.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <vector>

#include "base/log.h"
#include "dataplane/attach.h"
#include "dataplane/bpf_log.h"
#include "dataplane/bpffs.h"
#include "dataplane/dispatcher_pins.h"
#include "dataplane/map_view.h"
#include "dataplane/network_namespace.h"
#include "dataplane/pin_paths.h"
#include "dataplane/state_lock.h"
#include "dataplane/xdp_state.h"

namespace xdpflowd {
namespace {

namespace fs = std::filesystem;

/// The interfaces that the state knows; nullopt if its layout, or what was before it, is another one.
std::optional<std::vector<unsigned>> recorded_interfaces(const std::string& state_dir) {
  std::error_code ignored;
  if (fs::exists(former_layout_dir(state_dir), ignored)) return std::nullopt;
  auto map = ArrayMap<xf_interface>::open_pin(map_pin(state_dir, "interfaces"), BPF_MAP_TYPE_ARRAY);
  if (!map) return std::nullopt;
  std::vector<unsigned> found;
  const auto entries = array_values(*map);
  if (!entries) return std::nullopt;
  for (const auto& entry : *entries)
    if (entry.ifindex != 0) found.push_back(entry.ifindex);
  return found;
}

std::vector<unsigned> all_interfaces() {
  const std::unique_ptr<struct if_nameindex, decltype(&if_freenameindex)> names(if_nameindex(),
                                                                                if_freenameindex);
  std::vector<unsigned> found;
  for (const auto* entry = names.get(); entry && entry->if_index != 0; ++entry)
    found.push_back(entry->if_index);
  return found;
}

bool exists(unsigned ifindex) {
  char name[IF_NAMESIZE];
  return if_indextoname(ifindex, name) != nullptr;
}

Status detach_ours(unsigned ifindex, const Ownership& ownership) {
  auto state = xdp_state(ifindex, ownership);
  if (!state) return state.error();
  for (const auto& program : state->programs)
    if (program.ours)
      if (auto detached = detach_program(ifindex, *state, program.id, ownership); !detached) return detached;
  return ok();
}

/// An empty folder may be what an unfinished start or unload left.
bool looks_like_ours(const std::string& state_dir) {
  std::error_code ignored;
  return fs::is_empty(state_dir, ignored) || fs::exists(map_pin(state_dir, "control"), ignored) ||
         fs::exists(map_pin(state_dir, "tables"), ignored) || fs::exists(programs_dir(state_dir), ignored) ||
         fs::exists(former_layout_dir(state_dir), ignored);
}

bool is_on_bpffs(const std::string& path) {
  struct statfs info {};
  return statfs(path.c_str(), &info) == 0 && info.f_type == BPF_FS_MAGIC;
}

Status remove_below(const std::string& folder) {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    fs::remove_all(entry.path(), failed);
    if (failed) return system_error(failed.value(), "cannot remove " + entry.path().string());
  }
  return failed ? system_error(failed.value(), "cannot read " + folder) : ok();
}

/// From another network namespace the programs cannot be detached. A state that cannot be read is let pass.
Status check_reach(const std::string& state_dir) {
  const auto map = ArrayMap<xf_control>::open_pin(map_pin(state_dir, "control"), BPF_MAP_TYPE_ARRAY);
  if (!map) return ok();
  const auto control = map->get(0);
  if (!control) return ok();
  auto reached = check_network_namespace(*control, state_dir);
  if (reached) return reached;
  return fail(reached.error().message + "; --force removes the pins alone and leaves the programs attached");
}

Status remove_state(const std::string& state_dir) {
  if (auto cleared = clear_state(state_dir); !cleared) return cleared;
  std::error_code failed;
  fs::remove(state_dir, failed);
  return failed ? system_error(failed.value(), "cannot remove " + state_dir) : ok();
}

}  // namespace

Status clear_state(const std::string& state_dir) {
  if (auto own = check_own_folder(state_dir); !own) return own;
  if (!is_on_bpffs(state_dir) || !looks_like_ours(state_dir))
    return fail(state_dir + " does not look like the state of xdpflowd: nothing was removed");
  const auto ownership = Ownership::of_state(state_dir);
  for (const auto ifindex : recorded_interfaces(state_dir).value_or(all_interfaces()))
    if (exists(ifindex))
      if (auto detached = detach_ours(ifindex, ownership); !detached) return detached;
  remove_dispatcher_pins(ownership);
  return remove_below(state_dir);
}

Status unload(const std::string& state_dir, bool force) {
  route_bpf_messages();
  std::error_code unknown;
  const auto there = fs::symlink_status(state_dir, unknown);
  if (there.type() == fs::file_type::not_found) return ok();
  if (unknown) return pin_error(unknown.value(), state_dir);
  if (force) return remove_state(state_dir);
  auto lock = StateLock::acquire(state_dir);
  if (!lock && lock.error().code == EWOULDBLOCK)
    return fail(lock.error().message + ": stop it first, or use --force");
  if (!lock) return lock.error();
  if (auto reached = check_reach(state_dir); !reached) return reached;
  return remove_state(state_dir);
}

}  // namespace xdpflowd
