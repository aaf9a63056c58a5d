// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/hooks.h"

#include <signal.h>

#include "base/log.h"

namespace xdpflowd {
namespace {

constexpr std::chrono::seconds patience_at_the_end{1};
constexpr size_t starts_per_turn = 16;  // a fork takes about a millisecond; other work goes on between turns

}  // namespace

HookRunner::HookRunner(EventLoop& loop) : loop_(loop) {
  // A parent that ignored it would have made the kernel throw away how our children end.
  ::signal(SIGCHLD, SIG_DFL);
}

HookRunner::~HookRunner() {
  if (waiting_ > 0) log::warn("{} hooks that had waited for their turn are not run", waiting_);
  for (const auto& [name, target] : targets_)
    if (target.run) target.run->terminate();
  const auto deadline = std::chrono::steady_clock::now() + patience_at_the_end;
  for (const auto& [name, target] : targets_)
    if (target.run && !target.run->ends_by(deadline))
      log::warn("target {}: its hook did not end with the daemon and is killed", name);
}

void HookRunner::run(const std::vector<std::string>& command, const TargetNews& news) {
  if (command.empty()) return;
  Target& target = targets_[news.name];
  Change change{command, news};
  if (supersedes(target, change) && change.news.before == change.news.after) {
    counters_.superseded++;
    return forget_if_idle(news.name);
  }
  target.waiting = std::move(change);
  waiting_++;
  if (!target.run) enqueue(news.name, target);
}

/// Whether the program has not heard of the change before this one; then this one begins where that one did.
bool HookRunner::supersedes(Target& target, Change& change) {
  if (target.waiting) {
    change.news.before = target.waiting->news.before;
    target.waiting.reset();
    waiting_--;
    counters_.superseded++;
    return true;
  }
  if (!target.run) return false;
  change.news.before = target.told;
  return true;
}

void HookRunner::enqueue(const std::string& name, Target& target) {
  if (!target.queued) queue_.push_back(name);
  target.queued = true;
  start_soon();
}

void HookRunner::start_soon() {
  if (soon_ || queue_.empty() || running_ >= limits_.at_once) return;
  auto planned = loop_.after(std::chrono::microseconds(0), [this] { start_some(); });
  if (planned)
    soon_.emplace(std::move(*planned));
  else
    log::error("hooks wait for the next change: {}", planned.error().message);
}

void HookRunner::start_some() {
  soon_.reset();
  for (size_t tried = 0; tried < starts_per_turn && running_ < limits_.at_once && !queue_.empty(); tried++) {
    const std::string name = std::move(queue_.front());
    queue_.pop_front();
    Target& target = targets_.at(name);
    target.queued = false;
    if (target.waiting) start(name, target);
    forget_if_idle(name);
  }
  start_soon();
}

void HookRunner::start(const std::string& name, Target& target) {
  const Change change = *std::move(target.waiting);
  target.waiting.reset();
  waiting_--;
  auto run = HookRun::start(loop_, change.command, change.news, limits_,
                            [this, name](HookResult result) { ended(name, result); });
  if (!run) {
    log::error("{}", run.error().message);
    return count(HookResult::not_started);
  }
  target.run = std::move(*run);
  target.told = change.news.after;
  running_++;
}

void HookRunner::ended(const std::string& name, HookResult result) {
  count(result);
  running_--;
  Target& target = targets_.at(name);
  target.run.reset();
  if (target.waiting) enqueue(name, target);
  forget_if_idle(name);
  start_soon();
}

void HookRunner::count(HookResult result) {
  switch (result) {
    case HookResult::ok:
      counters_.ok++;
      break;
    case HookResult::failed:
      counters_.failed++;
      break;
    case HookResult::timeout:
      counters_.timeout++;
      break;
    case HookResult::not_started:
      counters_.not_started++;
      break;
  }
}

void HookRunner::forget_if_idle(const std::string& name) {
  const auto found = targets_.find(name);
  if (!found->second.run && !found->second.waiting && !found->second.queued) targets_.erase(found);
}

}  // namespace xdpflowd
