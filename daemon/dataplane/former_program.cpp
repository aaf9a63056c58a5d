// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/former_program.h"

#include <bpf/bpf.h>

#include <cerrno>

#include "base/unique_fd.h"
#include "dataplane/flow_reader.h"

namespace xdpflowd {
namespace {

/// Whoever may not open programs by their id (CAP_SYS_ADMIN) takes it as loaded as long as a flow has its
/// timer.
Result<bool> is_loaded(const PinnedState& state, uint32_t program) {
  const UniqueFd opened(bpf_prog_get_fd_by_id(program));
  if (opened || errno == ENOENT) return static_cast<bool>(opened);
  const auto flows = flows_of_other_generations(state);
  if (!flows) return flows.error();
  return *flows > 0;
}

}  // namespace

Result<std::optional<FormerProgram>> former_program(const PinnedState& state) {
  const auto control = state.control().get(0);
  if (!control) return control.error();
  if (control->former_program == 0) return std::optional<FormerProgram>();
  const auto loaded = is_loaded(state, control->former_program);
  if (!loaded) return loaded.error();
  if (!*loaded) return std::optional<FormerProgram>();
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
  if (control->former_program == 0) return false;
  const auto loaded = is_loaded(state, control->former_program);
  if (!loaded) return loaded.error();
  if (*loaded) return false;
  control->former_program = control->former_generation = 0;
  if (auto set = state.control().set(0, *control); !set) return set.error();
  return true;
}

}  // namespace xdpflowd
