// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/former_program.h"

#include <bpf/bpf.h>

#include <cerrno>

#include "base/unique_fd.h"
#include "dataplane/flow_reader.h"

namespace xdpflowd {
namespace {

/// Whoever may not open programs by their id (CAP_SYS_ADMIN) cannot tell, and takes it as loaded.
bool is_loaded(uint32_t program) {
  const UniqueFd opened(bpf_prog_get_fd_by_id(program));
  return opened || errno != ENOENT;
}

}  // namespace

Result<std::optional<FormerProgram>> former_program(const PinnedState& state) {
  const auto control = state.control().get(0);
  if (!control) return control.error();
  if (control->former_program == 0 || !is_loaded(control->former_program))
    return std::optional<FormerProgram>();
  return std::optional(
      FormerProgram{.id = control->former_program, .generation = control->former_generation});
}

Result<uint64_t> flows_of_other_generations(const PinnedState& state) {
  const auto control = state.control().get(0);
  if (!control) return control.error();
  uint64_t found = 0;
  for (const auto& zone : state.zones()) {
    auto read = read_flows(state, zone.index, [&](xf_table, const xf_flow_key&, const xf_flow& flow) {
      if (!(flow.status.flags & XF_FLOW_ORPHAN) && flow.generation != control->generation) ++found;
    });
    if (!read) return read.error();
  }
  return found;
}

Result<bool> forget_if_freed(const PinnedState& state) {
  auto control = state.control().get(0);
  if (!control) return control.error();
  if (control->former_program == 0 || is_loaded(control->former_program)) return false;
  control->former_program = control->former_generation = 0;
  if (auto set = state.control().set(0, *control); !set) return set.error();
  return true;
}

}  // namespace xdpflowd
