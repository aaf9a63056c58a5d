// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/generation.h"

#include <algorithm>

#include "dataplane/loader.h"

namespace xdpflowd {

Status activate(const PinnedState& state, const Generation& generation, int program,
                const std::function<Status()>& last) {
  auto control = state.control().get(0);
  if (!control) return control.error();
  if (control->generation == generation.number) return ok();
  if (auto pinned = pin_program(program, state.state_dir(), "xdpflow"); !pinned) return pinned;
  control->former_program = generation.former_program;
  control->former_generation = control->generation;
  control->generation = generation.number;
  control->build = generation.build;
  control->incoming = 0;
  std::ranges::fill(control->version, '\0');
  generation.version.copy(control->version, sizeof control->version - 1);
  if (auto done = last(); !done) return done;
  return state.control().set(0, *control);
}

}  // namespace xdpflowd
