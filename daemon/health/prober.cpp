// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/prober.h"

#include <algorithm>

#include "base/log.h"

namespace xdpflowd {
namespace {

/// Calls `visit` with at most XF_PROBE_BATCH elements at a time.
template <class Element, class Visit>
Status in_batches(std::span<const Element> all, Visit visit) {
  while (!all.empty()) {
    const auto batch = all.first(std::min<size_t>(all.size(), XF_PROBE_BATCH));
    if (Status done = visit(batch); !done) return done;
    all = all.subspan(batch.size());
  }
  return ok();
}

}  // namespace

Status Prober::probe(std::span<const uint32_t> indexes) {
  return in_batches(indexes, [this](std::span<const uint32_t> batch) { return probe_batch(batch); });
}

Status Prober::probe_batch(std::span<const uint32_t> indexes) {
  const auto frames = client_.frames().first(indexes.size());
  for (size_t i = 0; i < indexes.size(); ++i) frames[i].index = indexes[i];
  if (auto built = client_.run(XF_PROBE_OP_BUILD, frames.size()); !built) return built;
  std::vector<xf_probe_frame*> ready;
  for (auto& frame : frames) {
    look_at(frame);
    if (frame.outcome == 0) ready.push_back(&frame);
  }
  sender_.send(ready);
  return client_.run(XF_PROBE_OP_ARM, frames.size());
}

void Prober::look_at(xf_probe_frame& frame) {
  if (frame.outcome != 0 && frame.outcome != XF_CAUSE_RESOLVING) return;
  if (!observed_.contains(frame.ifindex))
    frame.outcome = XF_CAUSE_NOT_OBSERVED;
  else if (cut_off_.contains(frame.ifindex))
    frame.outcome = XF_CAUSE_LINK_DOWN;
  else if (frame.outcome == XF_CAUSE_RESOLVING)
    resolve(frame);
  const NextHop next_hop{frame.ifindex, frame.next_hop};
  if (frame.outcome == 0) unanswered_.erase(next_hop);
  if (frame.outcome != XF_CAUSE_LINK_DOWN) next_hops_.insert(next_hop);
}

/// A neighbour that does not answer the kernel is a verdict on all that are behind it, until it does: it is
/// asked again all the same, and then the kernel says no more than that it asks.
void Prober::resolve(xf_probe_frame& frame) {
  const auto neighbour = routes_.neighbour(frame.ifindex, frame.next_hop);
  const NextHop next_hop{frame.ifindex, frame.next_hop};
  if (neighbour && *neighbour == Neighbour::failed) unanswered_.insert(next_hop);
  if (unanswered_.contains(next_hop)) frame.outcome = XF_CAUSE_NO_NEIGHBOUR;
  if (neighbour && *neighbour == Neighbour::resolving) return;
  if (auto used = routes_.use_neighbour(frame.ifindex, frame.next_hop); !used)
    log::debug("{}", used.error().message);
}

Result<std::vector<uint32_t>> Prober::start(std::span<const Start> targets) {
  std::vector<uint32_t> without_timer;
  auto started = in_batches(targets, [&](std::span<const Start> batch) -> Status {
    const auto frames = client_.frames().first(batch.size());
    for (size_t i = 0; i < batch.size(); ++i) {
      frames[i].index = batch[i].index;
      frames[i].argument = batch[i].delay_ns;
    }
    if (auto run = client_.run(XF_PROBE_OP_START, frames.size()); !run) return run;
    for (const auto& frame : frames)
      if (frame.outcome < 0) without_timer.push_back(frame.index);
    return ok();
  });
  if (!started) return started.error();
  return without_timer;
}

Status Prober::stop(std::span<const uint32_t> indexes) {
  return in_batches(indexes, [this](std::span<const uint32_t> batch) {
    const auto frames = client_.frames().first(batch.size());
    for (size_t i = 0; i < batch.size(); ++i) frames[i].index = batch[i];
    return client_.run(XF_PROBE_OP_STOP, frames.size());
  });
}

}  // namespace xdpflowd
