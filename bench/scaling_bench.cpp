// SPDX-License-Identifier: GPL-2.0-or-later
// What a packet costs while another CPU tracks packets too: the other direction of the same flows, or flows
// of its own.
//
// usage: scaling_bench [--quick]
#include <atomic>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "flows.h"
#include "programs.h"
#include "results.h"
#include "support/timers.h"

namespace xdpflowd::bench {
namespace {

constexpr uint32_t million = 1'000'000;

struct Plan {
  std::vector<uint32_t> flows;
  int rounds;
  uint32_t packets;
};

const Plan full{{1, 1000, 100'000}, 7, 300'000};
const Plan quick{{1, 1000}, 3, 500'000};

struct Work {
  Template packet;
  Load load;
};

/// The kernel takes this long, one run after the other, before the first packet of a run.
constexpr auto head_start = std::chrono::milliseconds(60);
constexpr uint32_t longer = 6;  ///< the other CPU has that many times the packets

/// Nanoseconds per packet on CPU 0.
double alone(const Programs& programs, Target target, const Work& work) {
  return programs.run(target, work.packet, work.load);
}

/// The same, while CPU 1 is at `other`; nothing if that was done before.
std::optional<double> try_beside(const Programs& programs, Target target, const Work& work,
                                 const Work& other) {
  std::atomic<bool> busy{true};
  std::jthread neighbour([&] {
    bind_to(1);
    auto load = other.load;
    load.packets *= longer;
    programs.run(target, other.packet, load);
    busy = false;
  });
  std::this_thread::sleep_for(head_start);
  const double took = alone(programs, target, work);
  return busy ? std::optional(took) : std::nullopt;
}

double beside(const Programs& programs, Target target, const Work& work, const Work& other) {
  constexpr int tries = 20;
  for (int i = 0; i < tries; i++)
    if (const auto took = try_beside(programs, target, work, other)) return *took;
  throw std::runtime_error("this machine is too busy: its CPUs are never both to be had");
}

void measure_flows(const Programs& programs, const Plan& plan, uint32_t flows) {
  const Results results("scaling");
  const auto forward = source_varied(data());
  const auto reverse = destination_varied(segment().reversed().seq(501).ack_number(101).payload(10));
  const Load same{plan.packets, flows}, lower{plan.packets, std::max(1U, flows / 2)};
  const Load upper{plan.packets, std::max(1U, flows / 2), true, flows / 2};
  const std::string row = flows_text(flows);
  for (const auto& [target, name] : {std::pair{track_floor, "floor"}, std::pair{xdpflow, "xdpflow"}}) {
    Samples single, shared, own;
    for (int round = 0; round < plan.rounds; round++) {
      single.push_back(alone(programs, target, {forward, same}));
      shared.push_back(beside(programs, target, {forward, same}, {reverse, same}));
      if (flows > 1) own.push_back(beside(programs, target, {forward, lower}, {reverse, upper}));
    }
    const std::string table = "A packet of " + std::string(name) + ", another CPU at work";
    results.add(Measured{table, row, "one CPU", "ns", single, "", double(flows)});
    if (flows > 1)
      results.add(Measured{table, row, "two CPUs, flows of their own", "ns", own, "one CPU", double(flows)});
    results.add(Measured{table, row, "two CPUs, a direction each", "ns", shared, "one CPU", double(flows)});
  }
}

void measure(const Plan& plan) {
  const Results results("scaling");
  if (std::thread::hardware_concurrency() < 2) return results.note("This machine has one CPU.");
  bind_to(0);
  if (auto primed = test::prime_timers(plan.flows.back() * 2UL); !primed)
    throw std::runtime_error(primed.error().message);
  const Programs programs({plan.flows.back() + 131'072, 1 << 20});
  uint32_t there = 0;
  for (const uint32_t flows : plan.flows) {
    say("scaling: " + std::to_string(flows) + " flows");
    bind_to(0);
    while (there < flows) {
      const uint32_t more = std::min(flows - there, million / 2);
      programs.establish(there, more);
      there += more;
    }
    measure_flows(programs, plan, flows);
  }
  results.note(
      "`spread`, which gives each frame another flow's address, is included (see the table of packet cost).");
}

}  // namespace
}  // namespace xdpflowd::bench

int main(int argc, char** argv) {
  using namespace xdpflowd::bench;
  return bench_main("scaling_bench", argc, argv, [](bool is_quick) { measure(is_quick ? quick : full); });
}
