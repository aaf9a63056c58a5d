// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/dispatcher_pins.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "base/log.h"
#include "base/unique_fd.h"

namespace xdpflowd {
namespace {

namespace fs = std::filesystem;

constexpr auto libxdp_folder = "/sys/fs/bpf/xdp";

std::vector<uint32_t> programs_pinned_in(const fs::path& dispatcher) {
  std::vector<uint32_t> ids;
  std::error_code ignored;
  for (const auto& pin : fs::directory_iterator(dispatcher, ignored)) {
    if (!pin.path().filename().string().ends_with("-prog")) continue;
    const UniqueFd program(bpf_obj_get(pin.path().c_str()));
    ids.push_back(program_id_of(program.get()));
  }
  return ids;
}

void remove_if_ours(const fs::path& dispatcher, const Ownership& ownership) {
  const auto ids = programs_pinned_in(dispatcher);
  const auto ours = std::count_if(ids.begin(), ids.end(), [&](uint32_t id) { return ownership.owns(id); });
  std::error_code ignored;
  if (ours > 0 && ours == static_cast<std::ptrdiff_t>(ids.size()))
    fs::remove_all(dispatcher, ignored);
  else if (ours > 0)
    log::warn(
        "{} is left of an interface that is gone, and keeps the flow tables in memory: `xdp-loader clean`",
        dispatcher.string());
}

}  // namespace

void remove_dispatcher_pins(const Ownership& ownership, std::optional<unsigned> ifindex) {
  // libxdp's name: dispatch-<ifindex>-<id of the dispatcher>.
  const auto prefix = "dispatch-" + (ifindex ? std::to_string(*ifindex) + "-" : "");
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(libxdp_folder, ignored))
    if (entry.path().filename().string().starts_with(prefix)) found.push_back(entry.path());
  for (const auto& dispatcher : found) remove_if_ours(dispatcher, ownership);
}

}  // namespace xdpflowd
