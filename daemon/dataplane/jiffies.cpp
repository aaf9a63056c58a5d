// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/jiffies.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "clock.skel.h"

namespace xdpflowd {
namespace {

constexpr int readings = 3, most_readings = 8;

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

uint64_t jiffies_epoch_ns() {
  const uint64_t tick_ns = coarse_tick_ns();
  const auto clock = load_clock();
  if (!clock || !has_high_resolution_timers()) return 0;
  int64_t epoch_ns = INT64_MIN;
  for (int reading = 1; reading <= most_readings; reading++) {
    const auto clocks = read(*clock);
    if (!clocks) return 0;
    // A tick too early if this was between the two steps of a tick of the kernel's.
    epoch_ns = std::max(epoch_ns, static_cast<int64_t>(clocks->coarse_ns - clocks->jiffies * tick_ns));
    if (reading < readings) continue;
    const auto lag_ns = static_cast<int64_t>(clocks->now_ns - clocks->jiffies * tick_ns) - epoch_ns;
    if (lag_ns <= static_cast<int64_t>(2 * tick_ns)) break;
    std::this_thread::sleep_for(std::chrono::nanoseconds(tick_ns));
  }
  return static_cast<uint64_t>(epoch_ns);
}

}  // namespace xdpflowd
