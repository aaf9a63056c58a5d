// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/jiffies.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "clock.skel.h"

namespace xdpflowd {
namespace {

constexpr int attempts = 8;

struct ClockCloser {
  void operator()(clock_bpf* clock) const { clock_bpf__destroy(clock); }
};
using Clock = std::unique_ptr<clock_bpf, ClockCloser>;

Result<Clock> load_clock() {
  Clock clock(clock_bpf__open_and_load());
  return clock ? Result<Clock>(std::move(clock))
               : system_error(errno, "the kernel refuses the clock program");
}

Result<xf_clock> read(const Clock& clock) {
  xf_clock clocks{};
  bpf_test_run_opts run{};
  run.sz = sizeof run;
  run.data_in = run.data_out = &clocks;
  run.data_size_in = run.data_size_out = sizeof clocks;
  run.repeat = 1;
  const int failed = bpf_prog_test_run_opts(bpf_program__fd(clock->progs.clock), &run);
  return failed == 0 ? Result<xf_clock>(clocks) : system_error(failed, "cannot run the clock program");
}

}  // namespace

Result<xf_clock> read_kernel_clocks() {
  const auto clock = load_clock();
  return clock ? read(*clock) : clock.error();
}

Result<uint64_t> jiffies_epoch_ns() {
  if (!has_high_resolution_timers()) return fail("this kernel has no timers of high resolution");
  const uint64_t tick_ns = coarse_tick_ns();
  const auto clock = load_clock();
  if (!clock) return clock.error();
  for (int attempt = 0; attempt < attempts; attempt++) {
    const auto clocks = read(*clock);
    if (!clocks) return clocks.error();
    // How long the jiffy had lasted is not known: a whole one is taken off.
    if (clocks->now_ns - clocks->coarse_ns <= 2 * tick_ns)
      return clocks->now_ns - (clocks->jiffies + 1) * tick_ns;
    std::this_thread::sleep_for(std::chrono::nanoseconds(tick_ns));
  }
  return fail("the kernel's ticks are late");
}

}  // namespace xdpflowd
