// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/target_commands.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <vector>

#include "base/clock.h"
#include "ctl/target_table.h"
#include "ctl/terminal.h"
#include "ctl/watch.h"
#include "dataplane/probe_client.h"
#include "dataplane/target_reader.h"
#include "settings/suggestion.h"

namespace xdpflowd {
namespace {

constexpr std::chrono::seconds watch_pause{1};

Result<Look> look_now(const PinnedState& state) {
  const auto control = state.control().get(0);
  if (!control) return control.error();
  return Look{.now_ns = monotonic_ns(), .heartbeat_ns = control->heartbeat_ns};
}

Error unknown_target(const std::string& name, const std::vector<Target>& targets) {
  std::vector<std::string_view> names;
  for (const Target& target : targets) names.push_back(name_of(target));
  return usage_error("there is no target " + in_quotes(name) + "; " +
                     (names.empty() ? "none is configured" : suggestion(name, names)));
}

Result<Target> find_target(const PinnedState& state, const std::string& name) {
  const auto targets = read_targets(state);
  if (!targets) return targets.error();
  const auto found = std::ranges::find(*targets, name, name_of);
  if (found == targets->end()) return unknown_target(name, *targets);
  return *found;
}

}  // namespace

Status show_targets(const PinnedState& state, const Arguments& arguments, std::ostream& out, size_t width) {
  const auto targets = read_targets(state);
  if (!targets) return targets.error();
  const auto look = look_now(state);
  if (!look) return look.error();
  if (arguments.json)
    write_target_array(out, *targets, *look, arguments.watch ? Lines::one : Lines::one_per_target);
  else
    write_target_table(out, *targets, *look, width);
  return ok();
}

Status watch_targets(const Arguments& arguments, std::ostream& out) {
  const auto redraw = arguments.json  ? Redraw::next_line
                      : is_terminal() ? Redraw::clears_screen
                                      : Redraw::after_blank_line;
  return watch(out, redraw, watch_pause, [&]() -> Status {
    // Opened anew each time: a start of another version may have replaced the maps.
    const auto state = PinnedState::open(arguments.state_dir);
    if (!state) return state.error();
    return show_targets(*state, arguments, out, terminal_width());
  });
}

Status set_target(const PinnedState& state, const Arguments& arguments, std::ostream& out) {
  const auto before = find_target(state, arguments.target);
  if (!before) return before.error();
  auto forced = force_health(state.probe_program(), before->index, arguments.health);
  if (!forced) return in_context(forced.error(), "target " + in_quotes(arguments.target));
  const auto after = find_target(state, arguments.target);
  if (!after) return after.error();
  const auto look = look_now(state);
  if (!look) return look.error();
  out << forced_answer(*after, *look, arguments.json);
  return ok();
}

}  // namespace xdpflowd
