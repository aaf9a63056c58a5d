// SPDX-License-Identifier: GPL-2.0-or-later
// What a packet of a flood costs: the first of a flow each, in a half-open table that has room, that is full,
// and right after the flood.
//
// usage: surge_bench [--quick]
#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "programs.h"
#include "results.h"
#include "support/timers.h"

namespace xdpflowd::bench {
namespace {

struct Plan {
  uint32_t flood;  ///< packets, at its beginning and as many again
  int rounds;
};

const Plan full{150'000, 7}, quick{150'000, 3};
constexpr uint32_t sample = 20'000;  ///< packets
constexpr uint32_t half_open = 65'536;
/// Where those of the flood are, which come from one of 2^24 addresses each, nothing else is counted from.
constexpr uint32_t flood_first = 1U << 25, flood_sources = 1U << 24;
/// Before new flows are measured, with caches that have gone cold. A flood may be felt for two seconds.
constexpr auto pause = std::chrono::milliseconds(250);

struct Kind {
  std::string name;
  Template packet;
};

std::vector<Kind> kinds() {
  return {{"SYNs", source_varied(segment().syn())},
          {"UDP", source_varied(test::udp().from("10.0.0.0", 40002).to("198.51.100.2", 53))},
          {"pings", source_varied(test::icmp().from("10.0.0.0").to("198.51.100.2"))}};
}

/// What a packet of one program costs, as a flood comes and goes.
struct Course {
  Samples before, beginning, during, after;
};

class Surge {
 public:
  Surge(const Plan& plan, const Kind& kind, Target target)
      : plan_(plan), packet_(kind.packet), target_(target), programs_({half_open, half_open}) {
    programs_.tracker().watch_crowds();
  }

  void pass(Course& course) const {
    clear();
    new_flows(0, half_open / 2);
    std::this_thread::sleep_for(pause);
    course.before.push_back(new_flows(half_open / 2, sample));
    course.beginning.push_back(rage());
    course.during.push_back(rage());
    std::this_thread::sleep_for(pause);
    course.after.push_back(new_flows(half_open, sample));
  }

 private:
  /// Each packet the first of a flow.
  double new_flows(uint32_t first, uint32_t count) const { return cost({count, count, false, first}); }
  double rage() const { return cost({plan_.flood, flood_sources, true, flood_first}); }

  /// Of what the pass before has left.
  void clear() const {
    std::vector<xf_flow_key> keys;
    for (const auto& entry : programs_.tracker().entries(XF_TABLE_HALF_OPEN)) keys.push_back(entry.key);
    programs_.tracker().flush(XF_TABLE_HALF_OPEN, keys);
  }

  /// In runs short enough for softirqs to come in between, as they do between the packets of a device.
  double cost(Load load) const {
    const double spread = programs_.run(nothing, packet_, {load.packets, load.flows});
    const uint32_t packets = load.packets;
    double total_ns = 0;
    for (uint32_t done = 0; done < packets; done += load.packets) {
      load.packets = std::min(packets - done, at_once_);
      total_ns += programs_.run(target_, packet_, load) * load.packets;
      if (!load.random) load.first += load.packets;
    }
    return total_ns / packets - spread;
  }

  const Plan& plan_;
  Template packet_;
  Target target_;
  Programs programs_;
  // The bare insert asks nobody, and fails if it is refused a timer by the last packet of a run.
  const uint32_t at_once_ = target_ == xdpflow ? 1000 : plan_.flood;
};

void add(const Results& results, const std::string& row, const Course& course) {
  const std::string table = "A packet that is the first of its flow", room = "a table half full";
  results.add(Measured{table, row, room, "ns", course.before, ""});
  results.add(Measured{table, row, "as a flood fills the table", "ns", course.beginning, room});
  results.add(Measured{table, row, "in a flood", "ns", course.during, room});
  results.add(Measured{table, row, "a quarter of a second after it", "ns", course.after, room});
}

void measure_kind(const Results& results, const Plan& plan, const Kind& kind) {
  Course ours;
  const Surge surge(plan, kind, xdpflow);
  for (int round = 0; round < plan.rounds; round++) surge.pass(ours);
  add(results, kind.name + ", xdpflow", ours);
  results.add(Goal{"packet of a flood of " + kind.name + " / of a new flow", "x",
                   ratio(ours.during, ours.before), 1.5});
  results.add(Goal{"new flow a quarter of a second after a flood of " + kind.name + " / before", "x",
                   ratio(ours.after, ours.before), 1.2});
}

/// To which one kind of packet is like another.
void measure_bare_insert(const Results& results, const Plan& plan) {
  Course bare;
  for (int round = 0; round < plan.rounds; round++) Surge(plan, kinds().front(), insert_armed).pass(bare);
  add(results, "an insert with a bare timer", bare);
}

void measure(const Plan& plan) {
  const Results results("surge");
  if (auto primed = test::prime_timers(12UL * half_open); !primed)
    throw std::runtime_error(primed.error().message);
  bind_to(0);
  for (const auto& kind : kinds()) {
    say("surge: " + kind.name);
    measure_kind(results, plan, kind);
  }
  measure_bare_insert(results, plan);
  results.note("The half-open table has room for " + std::to_string(half_open) +
               " flows. As a flood fills the table are its first " + std::to_string(plan.flood) +
               " packets, in a flood as many again, all from random sources; the table stays full of them.");
  results.note(
      "xdpflow gives no timers to flows that begin while the half-open table is full. Those that were there "
      "before have one, which the kernel takes out of its tree and frees when the flood evicts them.");
}

}  // namespace
}  // namespace xdpflowd::bench

int main(int argc, char** argv) {
  using namespace xdpflowd::bench;
  return bench_main("surge_bench", argc, argv, [](bool is_quick) { measure(is_quick ? quick : full); });
}
