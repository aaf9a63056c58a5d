// SPDX-License-Identifier: GPL-2.0-or-later
// What it costs to be rid of flows in time: a timer in each flow, and everything else that is done about it.
//
// usage: gc_bench [--quick]
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "conntrack_table.h"
#include "flows.h"
#include "ours.h"
#include "programs.h"
#include "results.h"
#include "soaker.h"
#include "support/timers.h"
#include "sweeps.h"

namespace xdpflowd::bench {
namespace {

constexpr uint32_t million = 1'000'000;
constexpr uint64_t bytes_per_flow = 500;  ///< element, timer, place in the queue of orphans

struct Plan {
  std::vector<uint32_t> populations;
  int rounds;    ///< slices of a window, sweeps of each kind
  int spread_s;  ///< over which all of a million flows end, for the lateness; 0: not measured
  uint32_t orphans_max;
};

const Plan full{{100'000, million, 4 * million}, 7, 60, million};
const Plan quick{{100'000}, 5, 0, 100'000};
/// Of what is seen of a table while the share of its flows ends.
constexpr uint64_t slice_ns = second_ns / 2;

/// How many percent of the flows end within ten seconds.
const std::vector<int> shares{0, 1, 100};

std::string table_name(int share) {
  return share == 0 ? "CPU with no flow ending"
                    : "CPU with " + std::to_string(share) + " % of the flows ending in 10 s";
}

void sleep_until(uint64_t when_ns) {
  const uint64_t now = monotonic_ns();
  if (when_ns > now) std::this_thread::sleep_for(std::chrono::nanoseconds(when_ns - now));
}

class GcBench {
 public:
  explicit GcBench(const Plan& plan) : plan_(plan), nothing_(window(0)) {}

  void measure() {
    for (const uint32_t flows : plan_.populations) {
      if (!has_room(flows * bytes_per_flow + (1UL << 31))) {
        results_.note("There is no room for " + flows_text(flows) + ": left out.");
        continue;
      }
      measure_population(flows);
    }
    if (plan_.spread_s) lateness_of_a_million();
    explain();
  }

 private:
  using ByColumn = std::vector<std::pair<std::string, Samples>>;
  using ByShare = std::map<int, ByColumn>;

  void measure_population(uint32_t flows) {
    ByShare columns;
    say("gc: " + flows_text(flows) + ", timers");
    timers(flows, 1, columns);
    timers(flows, 100, columns);
    if (flows <= plan_.orphans_max) {
      say("gc: " + flows_text(flows) + ", orphans");
      columns[1].emplace_back("xdpflowd, all orphans", orphans(flows));
    }
    say("gc: " + flows_text(flows) + ", sweeps");
    sweeps(flows, columns);
    say("gc: " + flows_text(flows) + ", nf_conntrack");
    conntrack(flows, 1, columns);
    conntrack(flows, 100, columns);
    for (const int share : shares)
      for (const auto& [column, samples] : columns[share])
        results_.add(Measured{table_name(share), flows_text(flows), column, "ms per second", samples,
                              share && column != "xdpflowd" ? "xdpflowd" : "", double(flows)});
    if (flows == std::min(million, plan_.populations.back())) compare(columns[1], flows);
  }

  /// CPU that nobody is charged for from `start_ns` on, ms per second.
  Samples window(uint64_t start_ns) const {
    Soaker soaker;
    Samples samples;
    sleep_until(start_ns);
    uint64_t at = std::max(start_ns, monotonic_ns());
    soaker.lost_ms();
    for (int i = 0; i < plan_.rounds; i++) {
      sleep_until(at += slice_ns);
      samples.push_back(soaker.lost_ms() * second_ns / slice_ns);
    }
    return samples;
  }
  uint64_t window_ns() const { return static_cast<uint64_t>(plan_.rounds) * slice_ns; }

  /// The same, without what is lost with no table at all.
  Samples net_window(uint64_t start_ns) const {
    Samples samples = window(start_ns);
    for (double& sample : samples) sample = std::max(0.0, sample - median(nothing_));
    return samples;
  }

  static uint32_t stride(int share) { return static_cast<uint32_t>(100 / share); }

  /// What happens to a table that is filled from now on: where it is to end by hundredths, nothing at first.
  struct Course {
    uint64_t filled_ns, start_ns;
  };
  Course course(uint32_t flows, int share) const {
    const uint64_t filled = monotonic_ns() + fill_ns(flows);
    return {filled, share == 1 ? filled + window_ns() + second_ns : filled};
  }

  void timers(uint32_t flows, int share, ByShare& columns) {
    const Ours ours(flows, true);
    const Course when = course(flows, share);
    ours.fill(stride(share), when.start_ns, 10 * second_ns);
    ours.wait_for_timers();
    if (share == 1) columns[0].emplace_back("xdpflowd", while_none_ends(ours, flows, when.filled_ns));
    columns[share].emplace_back("xdpflowd", while_some_end(ours, flows, share, when.start_ns));
  }

  Samples while_none_ends(const Ours& ours, uint32_t flows, uint64_t start_ns) const {
    const uint64_t before = ours.callbacks();
    Samples samples = net_window(start_ns);
    results_.add(Goal{"timer callbacks while none of " + flows_text(flows) + " ends",
                      "",
                      {static_cast<double>(ours.callbacks() - before)},
                      0});
    return samples;
  }

  Samples while_some_end(const Ours& ours, uint32_t flows, int share, uint64_t start_ns) const {
    const uint64_t before = ours.callbacks();
    const auto late_before = ours.lateness();
    Samples samples = net_window(start_ns);
    const double expected =
        flows / double(stride(share)) * static_cast<double>(window_ns()) / (10.0 * second_ns);
    if (static_cast<double>(ours.callbacks() - before) < 0.9 * expected)
      throw std::runtime_error("flows did not end in time");
    lateness("xdpflowd, " + std::to_string(share) + " % of " + flows_text(flows) + " in 10 s",
             {quantiles(late_before, ours.lateness())});
    return samples;
  }

  /// Without a timer of their own: the reaper looks at all of them, bite by bite.
  Samples orphans(uint32_t flows) const {
    const Ours ours(flows, false);
    const uint64_t start = monotonic_ns() + fill_ns(flows);
    ours.fill(stride(1), start, 10 * second_ns);
    const auto before = ours.lateness();
    Samples samples = net_window(start);
    lateness("xdpflowd, all orphans, 1 % of " + flows_text(flows) + " in 10 s",
             {quantiles(before, ours.lateness())});
    return samples;
  }

  /// Of a sweep each second, a tenth of those that end in ten seconds are overdue.
  void sweeps(uint32_t flows, ByShare& columns) const {
    SweptTable table(flows);
    if (!table.can(Sweep::iterator)) results_.note("This kernel refuses the map iterator: left out.");
    for (const int share : shares) {
      if (flows >= million && share != 1) continue;  // minutes; it is the walk that costs
      const uint32_t overdue = static_cast<uint32_t>(uint64_t{flows} * static_cast<uint64_t>(share) / 1000);
      std::map<Sweep, Samples> samples;
      for (int round = 0; round < plan_.rounds; round++)
        for (const Sweep sweep : all_sweeps())
          if (table.can(sweep) && (flows <= million || sweep != Sweep::next_key))  // ten seconds each
            samples[sweep].push_back(table.sweep(sweep, overdue));
      for (const auto& [sweep, taken] : samples) columns[share].emplace_back(name_of(sweep), taken);
    }
  }

  /// In a thread of its own, whose network namespace ends with it.
  void conntrack(uint32_t flows, int share, ByShare& columns) {
    std::string why;
    std::jthread([&] {
      try {
        const auto table = ConntrackTable::make();
        if (!table)
          why = table.error().message;
        else if (ConntrackTable::limit() < flows)
          why = "nf_conntrack holds at most " + std::to_string(ConntrackTable::limit()) +
                " flows on this machine (net.netfilter.nf_conntrack_max, which is everybody's)";
        else
          why = conntrack_windows(*table, flows, share, columns);
      } catch (const std::exception& error) {
        why = error.what();
      }
    }).join();
    if (!why.empty() && share == 1)
      results_.note("nf_conntrack with " + flows_text(flows) + " was not measured: " + why + ".");
  }

  std::string conntrack_windows(const ConntrackTable& table, uint32_t flows, int share, ByShare& columns) {
    const Course when = course(flows, share);
    const auto timeout = [&](uint32_t number) {
      const uint64_t due = due_ns(number, flows, stride(share), when.start_ns, 10 * second_ns);
      return due ? static_cast<uint32_t>((due - monotonic_ns()) / second_ns) : 3600;
    };
    if (auto filled = table.fill(flows, timeout); !filled) return filled.error().message;
    if (share == 1) columns[0].emplace_back("nf_conntrack", net_window(when.filled_ns));
    columns[share].emplace_back("nf_conntrack", net_window(when.start_ns));
    const uint32_t left = flows - flows / stride(share);
    results_.note("nf_conntrack, " + std::to_string(share) + " % of " + flows_text(flows) +
                  " in 10 s: behind these, " + std::to_string(table.count() - left) + " of " +
                  std::to_string(flows / stride(share)) + " overdue entries were still there.");
    return "";
  }

  /// The goal of 1 % churn.
  void compare(const ByColumn& columns, uint32_t flows) {
    const Samples* best = nullptr;
    for (const auto& [name, samples] : columns)
      if (name.find("xdpflowd") == std::string::npos && name != "nf_conntrack" &&
          (!best || median(samples) < median(*best)))
        best = &samples;
    results_.add(
        Goal{"CPU of timers / best sweep each second, 1 % of " + flows_text(flows) + " ending in 10 s", "x",
             ratio(columns.front().second, *best), 0.2});
  }

  void lateness_of_a_million() {
    say("gc: a million flows ending within " + std::to_string(plan_.spread_s) + " s");
    const Ours ours(million, true);
    const uint64_t start = monotonic_ns() + fill_ns(million);
    ours.fill(1, start, static_cast<uint64_t>(plan_.spread_s) * second_ns);
    ours.wait_for_timers();
    sleep_until(start);
    constexpr int slices = 7;  // of the first half: they are alike
    std::vector<Quantiles> all;
    for (int slice = 1; slice <= slices; slice++) {
      const auto before = ours.lateness();
      sleep_until(start + static_cast<uint64_t>(plan_.spread_s) * second_ns * static_cast<uint64_t>(slice) /
                              slices / 2);
      all.push_back(quantiles(before, ours.lateness()));
    }
    lateness("xdpflowd, all of 1 M flows in " + std::to_string(plan_.spread_s) + " s", all);
    Samples p99;
    for (const auto& slice : all) p99.push_back(slice.p99);
    results_.add(Goal{"p99 lateness, 1 M flows in 60 s", "ms", p99, 1});
  }

  void lateness(const std::string& row, const std::vector<Quantiles>& all) const {
    Samples p50, p99, max;
    for (const auto& one : all) {
      p50.push_back(one.p50);
      p99.push_back(one.p99);
      max.push_back(one.max);
    }
    for (const auto& [column, samples] :
         {std::pair{"p50", p50}, std::pair{"p99", p99}, std::pair{"max", max}})
      results_.add(Measured{"Lateness", row, column, "ms", samples, ""});
  }

  void explain() const {
    results_.note(
        "CPU of xdpflowd and nf_conntrack is what interrupts, softirqs and the kernel's own threads take, "
        "seen by a thread of "
        "the lowest priority on each CPU, less what they take with no table at all. That of a sweep is what "
        "its thread is "
        "charged for, at one sweep per second.");
    results_.note(
        "A flow that a sweep each second removes is late by up to a second and the sweep's own duration, "
        "half of that in "
        "the median.");
    results_.note(
        "Lateness is the upper bound of a bucket of the histogram in the kernel, whose buckets double. It "
        "includes no "
        "more than the callback's: the deadline allows for the step of the coarse clock. Flows were seen at "
        "ticks of that clock, as packets are: those of one tick end in one interrupt.");
    results_.note(
        "With four million flows, get_next_key, lookup and delete is left out: ten seconds for each "
        "sweep.");
    results_.note("The swept table has the same kind and key, and values of 40 bytes in place of 104.");
    results_.note("Memory traffic is not measured: this needs hardware counters.");
  }

  Plan plan_;
  Results results_{"gc"};
  Samples nothing_;  ///< CPU that is lost with no table at all
};

void measure(const Plan& plan) {
  bind_to(std::thread::hardware_concurrency() - 1);  // where the timers will fire
  if (auto primed = test::prime_timers(plan.populations.back() + 100'000UL); !primed)
    throw std::runtime_error(primed.error().message);
  GcBench(plan).measure();
}

}  // namespace
}  // namespace xdpflowd::bench

int main(int argc, char** argv) {
  using namespace xdpflowd::bench;
  return bench_main("gc_bench", argc, argv, [](bool is_quick) { measure(is_quick ? quick : full); });
}
