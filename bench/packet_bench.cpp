// SPDX-License-Identifier: GPL-2.0-or-later
// What a packet costs: xdpflow and what it is compared with in turns, in one run, on one CPU.
//
// usage: packet_bench [--quick]
#include <algorithm>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "flows.h"
#include "programs.h"
#include "results.h"
#include "support/timers.h"

namespace xdpflowd::bench {
namespace {

using test::Packet;

constexpr uint32_t million = 1'000'000;
/// For each flow in the largest of the populations: elements of four tables, their timer, their place in the
/// queue of orphans.
constexpr uint64_t bytes_per_flow = 1200;

struct Plan {
  std::vector<uint32_t> populations;
  int rounds;
  uint32_t packets;    ///< per round and program
  uint32_t new_flows;  ///< per round and program
};

const Plan full{{1, 1000, 100'000, million, 4 * million}, 7, 200'000, 10'000};
const Plan quick{{1, 1000, 100'000}, 7, 100'000, 10'000};
/// Where the kernel puts a program's code moves its cost by a tenth: with one flow, where nothing else
/// counts, each sample is of another load of all programs, the median of so many runs.
constexpr int loads = 7, runs_of_a_load = 9;

const std::map<Target, std::string> names{
    {parse_only, "parse only"},
    {track_floor, "floor"},
    {track_timed, "floor + timer"},
    {xdpflow, "xdpflow"},
    {rearming, "re-arming"},
    {insert_plain, "insert without a timer"},
    {insert_armed, "with a bare timer"},
};

using ByTarget = std::map<Target, Samples>;

/// What `spread` costs is taken off, round by round.
ByTarget in_turns(const std::vector<Target>& targets, const std::function<double(Target, int)>& run,
                  int rounds) {
  ByTarget samples;
  for (const Target target : targets) run(target, 0);
  for (int round = 1; round <= rounds; round++) {
    const double spread = run(nothing, round);
    for (size_t i = 0; i < targets.size(); i++) {
      const Target target = targets[(i + static_cast<size_t>(round)) % targets.size()];
      samples[target].push_back(run(target, round) - spread);
    }
  }
  return samples;
}

const std::vector<Target> tracking{parse_only, track_floor, track_timed, xdpflow, rearming};

ByTarget one_hot_flow(uint32_t packets) {
  ByTarget samples;
  const auto packet = source_varied(data());
  for (int load = 0; load < loads; load++) {
    const Programs programs({4096, 4096});
    programs.establish(0, 1);
    const auto run = [&](Target target, int) { return programs.run(target, packet, {packets, 1}); };
    for (const auto& [target, runs] : in_turns(tracking, run, runs_of_a_load))
      samples[target].push_back(median(runs));
  }
  return samples;
}

class PacketBench {
 public:
  explicit PacketBench(const Plan& plan)
      : plan_(plan), hot_(one_hot_flow(plan.packets)), programs_(sizes(plan)) {}

  void measure() {
    uint32_t there = 0;
    new_flow(0);
    for (const uint32_t flows : plan_.populations) {
      say("packet: " + flows_text(flows));
      while (there < flows) {
        const uint32_t more = std::min(flows - there, million / 2);
        programs_.establish(there, more);
        there += more;
      }
      established(flows);
      if (flows >= 100'000) new_flow(flows);
    }
    for (const uint32_t flows : {1U, 1000U}) kinds(flows);
    check_timers();
  }

 private:
  static Sizes sizes(const Plan& plan) {
    const uint32_t largest = plan.populations.back();
    return {largest + largest / 8 + 65'536, 1 << 21};
  }

  void add(const std::string& table, const std::string& row, const ByTarget& samples, Target base, double x) {
    for (const Target target :
         {parse_only, track_floor, track_timed, xdpflow, rearming, insert_plain, insert_armed})
      if (samples.contains(target))
        results_.add(Measured{table, row, names.at(target), "ns", samples.at(target),
                              target == parse_only || target == base ? "" : names.at(base), x});
  }

  void established(uint32_t flows) {
    const auto packet = source_varied(data());
    const Load load{plan_.packets, flows};
    const auto run = [&](Target target, int) { return programs_.run(target, packet, load); };
    const auto samples = flows == 1 ? hot_ : in_turns(tracking, run, plan_.rounds);
    Samples empty;
    for (int round = 0; round < plan_.rounds; round++)
      empty.push_back(programs_.run_empty(packet, plan_.packets));
    const std::string table = "Established packet";
    results_.add(Measured{table, flows_text(flows), "empty program", "ns", empty, "", double(flows)});
    add(table, flows_text(flows), samples, track_floor, flows);
    if (flows == 1 || flows == million)
      results_.add(Goal{"established packet / floor, " + flows_text(flows), "x",
                        ratio(samples.at(xdpflow), samples.at(track_floor)), flows == 1 ? 1.35 : 1.15});
    if (flows == 1)
      results_.add(Goal{"what timers add to an established packet", "ns",
                        difference(samples.at(track_timed), samples.at(track_floor)), 3});
    if (flows == 1 && median(samples.at(rearming)) < 1.2 * median(samples.at(xdpflow)))
      throw std::runtime_error("the re-arming program does not set timers anew");
  }

  /// Each round makes other flows, beside `flows` established ones.
  void new_flow(uint32_t flows) {
    const auto packet = source_varied(segment().syn());
    const auto run = [&](Target target, int round) {
      const uint32_t first = 8 * million + made_ + static_cast<uint32_t>(round) * plan_.new_flows;
      return programs_.run(target, packet, {plan_.new_flows, plan_.new_flows, false, first});
    };
    const auto samples = in_turns({insert_plain, insert_armed, xdpflow}, run, plan_.rounds);
    made_ += static_cast<uint32_t>(plan_.rounds + 1) * plan_.new_flows;
    add("New flow", flows == 0 ? "empty tables" : flows_text(flows), samples, insert_plain, flows);
    if (flows == std::min(plan_.populations.back(), million))
      results_.add(Goal{"new flow / insert without a timer, " + flows_text(flows), "x",
                        ratio(samples.at(xdpflow), samples.at(insert_plain)), 1.9});
  }

  struct Kind {
    std::string name;
    std::vector<Template> opening;  ///< makes the flow
    Template packet;
    std::vector<Target> beside;
  };

  static std::vector<Kind> all_kinds() {
    const auto ipv6 = test::tcp().from("2001:db8::a00:0", 40001).to("2001:db8:1::1", 443);
    const auto query = test::udp().from("10.0.0.0", 40002).to("198.51.100.2", 53);
    const auto tagged = Packet(segment()).from("10.0.0.0", 40003).vlan(10);
    const auto half_open = Packet(segment()).from("10.0.0.0", 40004).syn().seq(100);
    const auto error = test::icmp().icmp_type(3, 1).from("192.0.2.9").to("10.0.0.0").quoting(data());
    auto unparsed = source_varied(segment());
    unparsed.frame.at(14) = 0x65;  // IP version 6 in an IPv4 frame
    Template icmp_error{error.frame(), 14 + 20 + 8 + 12};
    return {
        {"TCP, IPv6", handshake(ipv6), source_varied(Packet(ipv6).seq(101).ack_number(501)), {track_floor}},
        {"UDP, IPv4",
         {source_varied(query), destination_varied(query.reversed()), source_varied(query)},
         source_varied(query),
         {track_floor}},
        {"TCP, IPv4, VLAN",
         handshake(tagged),
         source_varied(Packet(tagged).seq(101).ack_number(501)),
         {track_floor}},
        {"half-open hit", {source_varied(half_open)}, source_varied(half_open), {track_floor}},
        {"ICMP error about a flow", {}, icmp_error, {}},
        {"unparsed", {}, unparsed, {}}};
  }

  static std::vector<Template> handshake(const Packet& packet) {
    return {source_varied(Packet(packet).syn().seq(100)),
            destination_varied(packet.reversed().syn().ack_number(101).seq(500)),
            source_varied(Packet(packet).seq(101).ack_number(501))};
  }

  /// The other kinds of packets.
  void kinds(uint32_t flows) {
    for (const auto& kind : all_kinds()) {
      const Load all{flows, flows, false}, load{plan_.packets, flows};
      for (const auto& packet : kind.opening) programs_.run(xdpflow, packet, all);
      for (const Target target : kind.beside) programs_.run(target, kind.packet, all);
      auto targets = kind.beside;
      targets.push_back(xdpflow);
      const auto samples = in_turns(
          targets, [&](Target target, int) { return programs_.run(target, kind.packet, load); },
          plan_.rounds);
      add("Other packets, " + flows_text(flows), kind.name, samples, track_floor, -1);
    }
  }

  /// Nothing is measured with timers failing.
  void check_timers() const {
    const auto zone = programs_.tracker().zone_stats();
    if (zone.orphaned * 100 > zone.created)
      throw std::runtime_error(std::to_string(zone.orphaned) + " flows had to live without a timer");
    results_.note(std::to_string(zone.orphaned) + " of " + std::to_string(zone.created) +
                  " new flows had to live without a timer of their own.");
    results_.note(
        "What `spread`, which gives each frame another flow's address, costs itself is taken off; keys come "
        "in random order. "
        "The established packet is TCP over IPv4; with one flow each sample is of another load of the "
        "programs, whose cost moves "
        "by a tenth with where the kernel puts their code.");
  }

  Plan plan_;
  ByTarget hot_;
  Programs programs_;
  Results results_{"packet"};
  uint32_t made_ = 0;
};

Plan fitting(Plan plan) {
  while (!has_room(uint64_t{plan.populations.back()} * bytes_per_flow + (1UL << 31)) &&
         plan.populations.size() > 1) {
    Results("packet").note("There is no room for " + flows_text(plan.populations.back()) + ": left out.");
    plan.populations.pop_back();
  }
  return plan;
}

void measure(const Plan& wanted) {
  bind_to(0);
  const Plan plan = fitting(wanted);
  const size_t new_flows = 2UL * 8 * static_cast<size_t>(plan.rounds + 1) * plan.new_flows;
  if (auto primed = test::prime_timers(plan.populations.back() + million + new_flows); !primed)
    throw std::runtime_error(primed.error().message);
  PacketBench(plan).measure();
}

}  // namespace
}  // namespace xdpflowd::bench

int main(int argc, char** argv) {
  using namespace xdpflowd::bench;
  return bench_main("packet_bench", argc, argv, [](bool is_quick) { measure(is_quick ? quick : full); });
}
