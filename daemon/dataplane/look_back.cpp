// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/look_back.h"

#include <optional>

#include "base/log.h"
#include "dataplane/former_layout.h"
#include "dataplane/former_state.h"
#include "dataplane/layout.h"
#include "dataplane/network_namespace.h"
#include "dataplane/pin_paths.h"
#include "dataplane/pinned_state.h"
#include "dataplane/unload.h"

namespace xdpflowd {
namespace {

constexpr auto way_out =
    ", or run `xdpflowctl unload`, which loses the flows and all counters, and start this one";

Error cannot_go_back(const std::string& state_dir, const FormerState& former) {
  const std::string version(former.control().version);
  return fail(made_by(state_dir, former.folder()) + ": start that version (" +
              (version.empty() ? "not known which" : version) + ")" + way_out);
}

Error unfinished(const std::string& state_dir, const FormerState& newer) {
  return fail("under " + state_dir + " xdpflowd " + newer.control().version +
              " has not finished carrying over the flows of a version before it: start that one once" +
              way_out);
}

Error unreadable(const std::string& state_dir, const Error& why) {
  return fail("the data plane under " + state_dir +
              " was made by another version of xdpflowd, and its flows " +
              "cannot be carried over: " + why.message +
              "; `xdpflowctl unload` removes it, its flows included; then start xdpflowd again");
}

class Retrospect {
 public:
  Retrospect(const std::string& state_dir, uint64_t own_layout)
      : state_dir_(state_dir), own_layout_(own_layout) {}

  Result<Past> look();

 private:
  Result<Past> look_at_state();
  Result<Past> look_at_own_state() const;
  Result<Past> look_at_another_layout();
  Result<Past> look_at_both();
  Result<Past> clear() const;
  bool is_own() const { return pinned_ && *pinned_ == own_layout_; }

  const std::string& state_dir_;
  const uint64_t own_layout_;
  std::optional<uint64_t> pinned_;  // layout; 0: a load that was not finished
};

Result<Past> Retrospect::look() {
  auto aside = look_aside(state_dir_);
  if (!aside) return aside.error();
  auto pinned = pinned_layout(state_dir_);
  if (!pinned) return pinned.error();
  pinned_ = *pinned;
  if (*aside == Aside::all) return look_at_both();
  // Which way the pins were on is told by where they belong.
  if (*aside == Aside::some && is_own())
    if (auto back = put_back(state_dir_); !back) return back.error();
  return look_at_state();
}

Result<Past> Retrospect::look_at_state() {
  if (pinned_.value_or(0) == 0) return clear();
  return is_own() ? look_at_own_state() : look_at_another_layout();
}

/// Nothing counts before the first generation is in place: what is there was left by a start that was killed.
Result<Past> Retrospect::clear() const {
  if (auto cleared = clear_state(state_dir_); !cleared) return cleared.error();
  return Past{};
}

Result<Past> Retrospect::look_at_own_state() const {
  const auto map = ArrayMap<xf_control>::open_pin(map_pin(state_dir_, "control"), BPF_MAP_TYPE_ARRAY);
  if (!map) return map.error();
  const auto control = map->get(0);
  if (!control) return control.error();
  if (control->generation == 0) return clear();
  if (auto reached = check_network_namespace(*control, state_dir_); !reached) return reached.error();
  return Past{.control = *control};
}

Result<Past> Retrospect::look_at_another_layout() {
  const auto former = FormerState::open(state_dir_);
  if (!former) return unreadable(state_dir_, former.error());
  if (former->control().generation == 0) return clear();
  if (former->is_newer()) return cannot_go_back(state_dir_, *former);
  if (auto reached = check_network_namespace(former->control(), state_dir_); !reached) return reached.error();
  log::info("{}: its flows are carried over", made_by(state_dir_, state_dir_));
  if (auto moved = set_aside(state_dir_); !moved) return moved.error();
  return Past{.control = former->control(), .carries = true, .fresh = true};
}

/// A start was killed, or failed, while it carried over.
Result<Past> Retrospect::look_at_both() {
  const auto former = FormerState::open(former_layout_dir(state_dir_));
  if (!former) return unreadable(state_dir_, former.error());
  std::optional<FormerState> begun;
  if (pinned_.value_or(0) != 0) {
    auto opened = FormerState::open(state_dir_);
    if (!opened) return unreadable(state_dir_, opened.error());
    begun = std::move(*opened);
  }
  const bool counts = begun && begun->control().generation != 0;
  if (counts && is_own()) {
    auto past = look_at_own_state();
    if (past) past->carries = true;
    return past;
  }
  if (counts) return unfinished(state_dir_, *begun);
  if (former->control().layout != own_layout_ && former->is_newer())
    return cannot_go_back(state_dir_, *former);
  if (auto cleared = clear_beside(state_dir_); !cleared) return cleared.error();
  if (former->control().layout != own_layout_)
    return Past{.control = former->control(), .carries = true, .fresh = true};
  if (auto back = put_back(state_dir_); !back) return back.error();
  return look_at_own_state();
}

}  // namespace

Result<Past> look_back(const std::string& state_dir) {
  const auto own = layout_hash();
  if (!own) return own.error();
  return Retrospect(state_dir, *own).look();
}

std::string made_by(const std::string& state_dir, const std::string& folder) {
  const auto what = "the data plane under " + state_dir + " was made by ";
  const auto former = FormerState::open(folder);
  if (!former) return what + "another version of xdpflowd, with another layout";
  return what + (former->is_newer() ? "a newer" : "an older") +
         " version of xdpflowd, with another layout (" + "revision " +
         std::to_string(former->control().revision) + ", this one has " + std::to_string(XF_LAYOUT_REVISION) +
         ")";
}

}  // namespace xdpflowd
