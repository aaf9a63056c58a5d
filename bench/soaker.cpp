// SPDX-License-Identifier: GPL-2.0-or-later
#include "soaker.h"

#include <sched.h>

#include <stdexcept>

#include "base/clock.h"

namespace xdpflowd::bench {
namespace {

/// Longer than two looks at the clock take, shorter than any interrupt.
constexpr uint64_t gap_ns = 500;

}  // namespace

Soaker::Soaker() : accounts_(std::thread::hardware_concurrency()) {
  for (unsigned cpu = 0; cpu < accounts_.size(); cpu++)
    threads_.emplace_back([this, cpu](const std::stop_token& stop) { soak(cpu, accounts_[cpu], stop); });
}

uint64_t Soaker::lost_ns() const {
  uint64_t sum = 0;
  for (const auto& account : accounts_) sum += account.lost_ns;
  return sum;
}

void Soaker::soak(unsigned cpu, Cpu& account, const std::stop_token& stop) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  sched_setaffinity(0, sizeof one, &one);
  const sched_param none{};
  sched_setscheduler(0, SCHED_IDLE, &none);
  uint64_t before = monotonic_ns();
  while (!stop.stop_requested()) {
    const uint64_t now = monotonic_ns();
    if (now - before > gap_ns)
      account.lost_ns.store(account.lost_ns + (now - before), std::memory_order_relaxed);
    before = now;
  }
}

}  // namespace xdpflowd::bench
