// SPDX-License-Identifier: GPL-2.0-or-later
// What a packet of a flood costs: the first of a flow each, in a half-open table that has room, that is full,
// and right after the flood.
//
// usage: surge_bench [--quick]
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
  uint32_t flood;  ///< packets
  int rounds;
};

const Plan full{420'000, 7}, quick{150'000, 3};
constexpr uint32_t sample = 10'000;  ///< packets
constexpr uint32_t half_open = 131'072;
/// Where those of the flood are, which come from one of 2^24 addresses each, nothing else is counted from.
constexpr uint32_t flood_first = 1U << 25, flood_sources = 1U << 24;
constexpr auto within = std::chrono::seconds(1);  ///< of two that a flood may be felt

struct Kind {
  std::string name;
  Template packet;
};

std::vector<Kind> kinds() {
  return {{"SYNs", source_varied(segment().syn())},
          {"UDP", source_varied(test::udp().from("10.0.0.0", 40002).to("198.51.100.2", 53))},
          {"pings", source_varied(test::icmp().from("10.0.0.0").to("198.51.100.2"))}};
}

/// xdpflow, and beside it an insert with a timer that does nothing else.
struct Pair {
  Samples ours, bare;
};

class Surge {
 public:
  Surge(const Plan& plan, const Kind& kind)
      : plan_(plan), packet_(kind.packet), programs_({4096, half_open}) {}

  /// Each packet the first of a flow.
  Pair new_flows() {
    Pair pair;
    for (int round = 0; round < plan_.rounds; round++, made_ += sample) {
      const double spread = programs_.run(nothing, packet_, {sample, sample});
      pair.ours.push_back(programs_.run(xdpflow, packet_, {sample, sample, false, made_}) - spread);
      pair.bare.push_back(programs_.run(insert_armed, packet_, {sample, sample, false, made_}) - spread);
    }
    return pair;
  }

  /// As new_flows(), of all packets of a flood.
  Pair rage() const {
    Pair pair;
    const uint32_t packets = plan_.flood / static_cast<uint32_t>(plan_.rounds);
    for (int round = 0; round < plan_.rounds; round++) {
      const Load load{packets, flood_sources, true, flood_first};
      const double spread = programs_.run(nothing, packet_, {packets, flood_sources});
      pair.ours.push_back(programs_.run(xdpflow, packet_, load) - spread);
      pair.bare.push_back(programs_.run(insert_armed, packet_, load) - spread);
    }
    return pair;
  }

 private:
  const Plan& plan_;
  Template packet_;
  Programs programs_;
  uint32_t made_ = 0;
};

void report(const Results& results, const std::string& flood, const Pair& before, const Pair& during,
            const Pair& after) {
  const std::string room = "a table with room";
  const auto add = [&](const std::string& row, const Samples Pair::*of) {
    const std::string table = "A packet that is the first of its flow";
    results.add(Measured{table, row, room, "ns", before.*of, ""});
    results.add(Measured{table, row, "in a flood, the table full", "ns", during.*of, room});
    results.add(Measured{table, row, "a second after it", "ns", after.*of, room});
  };
  add(flood + ", xdpflow", &Pair::ours);
  add(flood + ", an insert with a bare timer", &Pair::bare);
  results.add(
      Goal{"packet of a flood of " + flood + " / of a new flow", "x", ratio(during.ours, before.ours), 1.5});
  results.add(Goal{"new flow a second after a flood of " + flood + " / before", "x",
                   ratio(after.ours, before.ours), 1.2});
}

void measure(const Plan& plan) {
  const Results results("surge");
  if (auto primed = test::prime_timers(4UL * half_open); !primed)
    throw std::runtime_error(primed.error().message);
  bind_to(0);
  for (const auto& kind : kinds()) {
    say("surge: " + kind.name);
    Surge surge(plan, kind);
    const Pair before = surge.new_flows();
    const Pair during = surge.rage();
    std::this_thread::sleep_for(within);
    report(results, kind.name, before, during, surge.new_flows());
  }
  results.note("The half-open table has room for " + std::to_string(half_open) + " flows. A flood is " +
               std::to_string(plan.flood) +
               " packets from random sources; the table stays full of them until their timeout.");
  results.note(
      "Each flow that a full table evicts has a timer, which the kernel takes out of its tree and frees "
      "later, in a "
      "softirq that may come within any round.");
}

}  // namespace
}  // namespace xdpflowd::bench

int main(int argc, char** argv) {
  using namespace xdpflowd::bench;
  return bench_main("surge_bench", argc, argv, [](bool is_quick) { measure(is_quick ? quick : full); });
}
