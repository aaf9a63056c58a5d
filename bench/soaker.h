// SPDX-License-Identifier: GPL-2.0-or-later
// CPU that no process is charged for: interrupts, softirqs, the kernel's own threads. On each CPU a thread of
// the lowest priority looks at the clock all the time. Between two looks, unless it had to make way for a
// process, somebody was at work in an interrupt or behind one. What happens while other processes run is
// taken to be as much in proportion. Kernels account softirqs by ticks, if at all: far too coarse for this.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <thread>
#include <vector>

namespace xdpflowd::bench {

class Soaker {
 public:
  Soaker();

  /// Milliseconds of all CPUs since the last call.
  double lost_ms();

 private:
  struct alignas(64) Cpu {
    std::atomic<uint64_t> seen_ns{0}, lost_ns{0};
    uint64_t seen_before_ns = 0, lost_before_ns = 0;
  };
  static void soak(unsigned cpu, Cpu& account, const std::stop_token& stop);
  double kernel_threads_ms();

  std::vector<Cpu> accounts_;
  std::vector<std::jthread> threads_;
  std::map<int, uint64_t> kernel_threads_;
  uint64_t before_ns_;
};

}  // namespace xdpflowd::bench
