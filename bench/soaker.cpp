// SPDX-License-Identifier: GPL-2.0-or-later
#include "soaker.h"

#include <sched.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/clock.h"

namespace xdpflowd::bench {
namespace {

/// Longer than two looks at the clock take, shorter than any interrupt.
constexpr uint64_t gap_ns = 500;

/// How often this thread had to make way.
long switches() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw + usage.ru_nvcsw;
}

void add(std::atomic<uint64_t>& counter, uint64_t more) {
  counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

/// Nanoseconds on a CPU of each thread that runs softirqs or the kernel's work.
std::map<int, uint64_t> kernel_threads() {
  std::map<int, uint64_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    std::string name;
    std::ifstream(entry.path() / "comm") >> name;
    if (!name.starts_with("ksoftirqd") && !name.starts_with("kworker")) continue;
    uint64_t ran_ns = 0;
    if (std::ifstream(entry.path() / "schedstat") >> ran_ns) found[std::stoi(pid)] = ran_ns;
  }
  return found;
}

}  // namespace

Soaker::Soaker() : accounts_(std::thread::hardware_concurrency()), before_ns_(monotonic_ns()) {
  for (unsigned cpu = 0; cpu < accounts_.size(); cpu++)
    threads_.emplace_back([this, cpu](const std::stop_token& stop) { soak(cpu, accounts_[cpu], stop); });
  kernel_threads_ = kernel_threads();
}

double Soaker::kernel_threads_ms() {
  auto now = kernel_threads();
  uint64_t sum = 0;
  for (const auto& [pid, ran_ns] : now)
    if (kernel_threads_.contains(pid)) sum += ran_ns - kernel_threads_[pid];
  kernel_threads_ = std::move(now);
  return static_cast<double>(sum) / 1e6;
}

double Soaker::lost_ms() {
  const uint64_t now = monotonic_ns();
  const auto passed = static_cast<double>(now - before_ns_);
  double lost = 0;
  for (auto& account : accounts_) {
    const uint64_t lost_ns = account.lost_ns, seen_ns = account.seen_ns;
    const auto lost_here = static_cast<double>(lost_ns - account.lost_before_ns);
    const double there = lost_here + static_cast<double>(seen_ns - account.seen_before_ns);
    if (there > 0) lost += lost_here * passed / there;
    account.lost_before_ns = lost_ns;
    account.seen_before_ns = seen_ns;
  }
  before_ns_ = now;
  return lost / 1e6 + kernel_threads_ms();
}

void Soaker::soak(unsigned cpu, Cpu& account, const std::stop_token& stop) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  sched_setaffinity(0, sizeof one, &one);
  const sched_param none{};
  sched_setscheduler(0, SCHED_IDLE, &none);
  long switched = switches();
  uint64_t before = monotonic_ns();
  while (!stop.stop_requested()) {
    const uint64_t now = monotonic_ns();
    if (now - before <= gap_ns) {
      add(account.seen_ns, now - before);
      before = now;
      continue;
    }
    const long switched_now = switches();
    if (switched_now == switched) add(account.lost_ns, now - before);
    switched = switched_now;
    before = monotonic_ns();
  }
}

}  // namespace xdpflowd::bench
