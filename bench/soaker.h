// SPDX-License-Identifier: GPL-2.0-or-later
// How much CPU something took of which no process is charged (interrupts, softirqs, the kernel's own threads): on each CPU a
// thread of the lowest priority reads the clock all the time, and what is missing between two looks was somebody else's.
// Kernels account softirqs by ticks, if at all: far too coarse for this.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace xdpflowd::bench {

class Soaker {
 public:
  Soaker();

  /// Since it was made, of all CPUs.
  uint64_t lost_ns() const;

 private:
  struct alignas(64) Cpu {
    std::atomic<uint64_t> lost_ns{0};
  };
  static void soak(unsigned cpu, Cpu& account, const std::stop_token& stop);

  std::vector<Cpu> accounts_;
  std::vector<std::jthread> threads_;
};

}  // namespace xdpflowd::bench
