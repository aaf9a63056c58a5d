// SPDX-License-Identifier: GPL-2.0-or-later
#include "housekeeper.h"

#include "base/clock.h"
#include "base/log.h"
#include "dataplane/former_program.h"
#include "dataplane/plan.h"

namespace xdpflowd {

Housekeeper::Housekeeper(DataPlane& data_plane, EventLoop& loop)
    : data_plane_(data_plane), loop_(loop), resizer_(data_plane.state(), data_plane.flow_types()) {}

/// A table that cannot be had in its new size keeps the old one.
Status Housekeeper::start(const Settings& settings) {
  for (const auto& zone : settings.zones)
    for (const auto table : {XF_TABLE_HALF_OPEN, XF_TABLE_ESTABLISHED})
      if (auto resized = resizer_.resize(zone.name, table, size_of(zone, table)); !resized)
        log::error("{}; the table keeps its size", resized.error().message);
  resizing_ = true;
  const auto former = former_program(data_plane_.state());
  if (!former) return former.error();
  return *former ? rearm({}) : work();
}

Status Housekeeper::rearm(const TimeoutSlots& shortened) {
  // From the beginning, for all timeouts that a walk under way was for too.
  shortened_ |= shortened;
  walk_.emplace(data_plane_.state(), shortened_);
  walk_began_ns_ = monotonic_ns();
  return work();
}

Status Housekeeper::resize(const std::string& zone, xf_table table, uint32_t size) {
  if (auto resized = resizer_.resize(zone, table, size); !resized) return resized;
  // The walk's table may be another one by now.
  if (walk_) walk_.emplace(data_plane_.state(), shortened_);
  resizing_ = true;
  return work();
}

Status Housekeeper::add_zone(const ZoneSettings& zone) {
  if (auto added = data_plane_.add_zone(zone); !added) return added;
  if (walk_) walk_.emplace(data_plane_.state(), shortened_);
  // Tables of an earlier configuration may have other sizes.
  for (const auto table : {XF_TABLE_HALF_OPEN, XF_TABLE_ESTABLISHED})
    if (auto resized = resize(zone.name, table, size_of(zone, table)); !resized) return resized;
  return ok();
}

void Housekeeper::tick() {
  if (auto forgotten = forget_former_program(); !forgotten) log::error("{}", forgotten.error().message);
  if (resizing_ && !turns_)
    if (auto working = work(); !working) log::error("{}", working.error().message);
}

Status Housekeeper::forget_former_program() {
  const auto freed = forget_if_freed(data_plane_.state());
  if (!freed) return freed.error();
  if (*freed) log::info("the kernel has freed the program of the generation before");
  return ok();
}

Status Housekeeper::work() {
  if (turns_) return ok();
  auto turns = loop_.when_idle([this] { turn(); });
  if (!turns) return turns.error();
  turns_.emplace(std::move(*turns));
  return ok();
}

/// Resizing first: flows that move get their timers by the timeouts and the callback of now.
void Housekeeper::turn() {
  if (!resize_on() && !rearm_on()) turns_.reset();
}

/// Whether there is more to do now.
bool Housekeeper::resize_on() {
  if (!resizing_) return false;
  const auto progress = resizer_.step();
  if (!progress) log::error("resize: {}; tried again in a second", progress.error().message);
  if (progress && *progress == Resizer::Progress::done) resizing_ = false;
  return progress && *progress == Resizer::Progress::working;
}

/// Whether there is more to do now.
bool Housekeeper::rearm_on() {
  if (!walk_) return false;
  const auto more = walk_->step();
  if (more && *more) return true;
  const auto milliseconds = (monotonic_ns() - walk_began_ns_) / 1'000'000;
  if (!more)
    log::error("flows may expire by their old, longer timeouts: {}", more.error().message);
  else
    log::info("{} flow timers set anew in {} ms", walk_->rearmed(), milliseconds);
  shortened_.reset();
  walk_.reset();
  return false;
}

}  // namespace xdpflowd
