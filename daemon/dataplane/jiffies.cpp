// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/jiffies.h"

#include <bpf/bpf.h>

#include <chrono>
#include <thread>

#include "base/clock.h"
#include "dataplane/loader.h"

namespace xdpflowd {
namespace {

constexpr int attempts = 8;

}  // namespace

Result<xf_clock> read_kernel_clocks() {
  const auto clock = load_clock();
  if (!clock) return clock.error();
  xf_clock clocks{};
  bpf_test_run_opts run{};
  run.sz = sizeof run;
  run.data_in = run.data_out = &clocks;
  run.data_size_in = run.data_size_out = sizeof clocks;
  run.repeat = 1;
  const int failed = bpf_prog_test_run_opts(program_fd(clock->get()), &run);
  return failed == 0 ? Result<xf_clock>(clocks) : system_error(failed, "cannot run the clock program");
}

Result<uint64_t> jiffies_epoch_ns() {
  if (!has_high_resolution_timers()) return fail("this kernel has no timers of high resolution");
  const uint64_t tick_ns = coarse_tick_ns();
  for (int attempt = 0; attempt < attempts; attempt++) {
    const auto clocks = read_kernel_clocks();
    if (!clocks) return clocks.error();
    // How long the jiffy had lasted is not known: a whole one is taken off.
    if (clocks->now_ns - clocks->coarse_ns <= 2 * tick_ns)
      return clocks->now_ns - (clocks->jiffies + 1) * tick_ns;
    std::this_thread::sleep_for(std::chrono::nanoseconds(tick_ns));
  }
  return fail("the kernel's ticks are late");
}

}  // namespace xdpflowd
