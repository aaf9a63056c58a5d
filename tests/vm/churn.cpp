// SPDX-License-Identifier: GPL-2.0-or-later
// Makes, evicts and expires elements with timers on every CPU. Where callbacks delete, 6.1 and 6.12 never
// come back from it: for a virtual machine (tests/vm/show-hang), and no other.
//
// usage: churn keep|delete SECONDS
#include <bpf/bpf.h>
#include <sched.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

#include "churn.skel.h"

namespace {

constexpr uint32_t longest_ns = 20'000'000;  // about as long as an element stays until it is evicted
constexpr int elements_per_run = 2000;

void bind_to(unsigned cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  sched_setaffinity(0, sizeof one, &one);
}

void make_elements(int program, unsigned cpu, const std::atomic<bool>& is_over) {
  bind_to(cpu);
  std::array<unsigned char, 64> frame{};
  while (!is_over) {
    LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(), .data_size_in = frame.size(),
                .repeat = elements_per_run);
    if (bpf_prog_test_run_opts(program, &run) != 0) std::exit(1);
  }
}

int churn(bool callback_deletes, int seconds) {
  churn_bpf* programs = churn_bpf__open();
  if (!programs) return 1;
  programs->rodata->callback_deletes = callback_deletes;
  programs->rodata->longest_ns = longest_ns;
  if (churn_bpf__load(programs) != 0) return 1;
  std::atomic<bool> is_over{false};
  {
    std::vector<std::jthread> threads;
    for (unsigned cpu = 0; cpu < std::thread::hardware_concurrency(); cpu++)
      threads.emplace_back(
          [&, cpu] { make_elements(bpf_program__fd(programs->progs.make_one), cpu, is_over); });
    std::this_thread::sleep_for(std::chrono::seconds(seconds));
    is_over = true;
  }
  std::printf("%llu made, of which %llu expired, the others were evicted\n", programs->bss->made,
              programs->bss->expired);
  churn_bpf__destroy(programs);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc == 3 ? argv[1] : "";
  if (what == "keep" || what == "delete") return churn(what == "delete", std::atoi(argv[2]));
  std::fputs("usage: churn keep|delete SECONDS\n", stderr);
  return 2;
}
