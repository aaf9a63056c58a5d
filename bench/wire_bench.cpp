// SPDX-License-Identifier: GPL-2.0-or-later
// Packets per second through a router of veth pairs, and what tracking flows there adds to each.
//
// usage: wire_bench [--quick]
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "flows.h"
#include "programs.h"
#include "results.h"
#include "support/timers.h"
#include "wire_lab.h"

namespace xdpflowd::bench {
namespace {

struct Plan {
  std::vector<uint32_t> populations;
  int rounds;
  int slices;  ///< of each sample
};

const Plan full{{1, 1000, 200'000}, 7, 14};
const Plan quick{{1, 1000, 50'000}, 3, 8};
constexpr uint32_t fresh_every = 20;  // 5 %

const Setting forwarding{"kernel forwarding"}, empty{"+ empty XDP program", Xdp::empty},
    bare{"+ floor", Xdp::floor}, tracker{"+ xdpflowd", Xdp::xdpflowd},
    conntrack{"+ nf_conntrack", Xdp::none, Conntrack::on}, both{"+ both", Xdp::xdpflowd, Conntrack::on},
    flowtable{"+ nf_conntrack with a flowtable", Xdp::none, Conntrack::flowtable};

/// By the name of a setting.
using BySetting = std::map<std::string, Samples>;

Samples nanoseconds(const Samples& rates) {
  Samples each;
  for (const double rate : rates) each.push_back(1e9 / rate);
  return each;
}

class WireBench {
 public:
  explicit WireBench(const Plan& plan) : plan_(plan), lab_(plan.populations.back()) { find_peers(); }

  void measure() {
    uint32_t there = 0;
    for (const uint32_t flows : plan_.populations) {
      say("wire: " + flows_text(flows));
      lab_.fill(there, flows - there);
      there = flows;
      add(flows_text(flows), in_turns(flows, 0), flows);
    }
    add(flows_text(there) + ", and 5 % of the packets of new ones", in_turns(there, fresh_every), -1);
    lab_.check_timers();
    say_what_differs();
  }

 private:
  void find_peers() {
    settings_ = {forwarding, empty, bare, tracker};
    if (const auto lacks = lab_.lacks(Conntrack::on); !lacks.empty()) {
      results_.note("nf_conntrack was not measured: " + lacks + ".");
      return;
    }
    settings_.insert(settings_.end(), {conntrack, both});
    if (const auto lacks = lab_.lacks(Conntrack::flowtable); lacks.empty())
      settings_.push_back(flowtable);
    else
      results_.note("nf_conntrack with an nftables flowtable was not measured: " + lacks + ".");
  }

  BySetting in_turns(uint32_t flows, uint32_t fresh) {
    BySetting rates;
    for (int round = 0; round < plan_.rounds; round++) {
      for (size_t i = 0; i < settings_.size(); i++) {
        const Setting& setting = settings_[(i + static_cast<size_t>(round)) % settings_.size()];
        lab_.use(setting);
        rates[setting.name].push_back(lab_.rate(flows, fresh, plan_.slices));
      }
      if (fresh) lab_.forget_fresh(flows);
    }
    return rates;
  }

  void add(const std::string& row, const BySetting& rates, double x) const {
    const auto base = nanoseconds(rates.at(forwarding.name));
    BySetting added;
    for (const Setting& setting : settings_) {
      const auto& samples = rates.at(setting.name);
      results_.add(Measured{"Packets of 64 bytes through the router", row, setting.name, "M/s",
                            ratio(samples, Samples(samples.size(), 1e6)),
                            setting.name == forwarding.name ? "" : forwarding.name});
      added[setting.name] = difference(nanoseconds(samples), base);
    }
    for (const Setting& setting : settings_)
      if (setting.name != forwarding.name)
        results_.add(Measured{"What it adds to a packet", row, setting.name, "ns", added[setting.name],
                              setting.name == conntrack.name ? "" : conntrack.name, x});
    if (added.contains(conntrack.name))
      results_.add(Goal{"what xdpflowd adds to a packet / what nf_conntrack does, " + row, "x",
                        ratio(added[tracker.name], added[conntrack.name]), 0.25});
  }

  void say_what_differs() const {
    results_.note(
        "One CPU makes, forwards and receives the packets, so a rate has the cost of all three in it, and "
        "what is "
        "added is the difference of the times per packet, round by round. Flows are established TCP "
        "connections "
        "in random order, and a new one is a SYN. Packets are those that the server's device counted; time "
        "during "
        "which the CPU was another process's does not count.");
    results_.note(
        "xdpflowd is attached natively by its daemon, without libxdp's dispatcher. GRO is on at the router's "
        "devices, so that they poll for packets with and without an XDP program: *+ empty XDP program* shows "
        "that "
        "the way is the same. It would not be, and XDP would cost more, where packets come as socket "
        "buffers.");
    results_.note(
        "*+ floor* is the least that an XDP program with one LRU table does (two counters and a time).");
    results_.note(
        "nf_conntrack is on because of a rule with `ct state` that no packet meets: what rules cost is not "
        "in it. It "
        "counts packets and bytes and keeps the time of the beginning, as xdpflowd does. It also checks "
        "TCP's "
        "checksums and windows, which xdpflowd does not, and it sees what the router sends.");
  }

  Plan plan_;
  WireLab lab_;
  std::vector<Setting> settings_;
  Results results_{"wire"};
};

/// No more flows than nf_conntrack may hold, with room for new ones.
Plan fitting(Plan plan) {
  std::ifstream file("/proc/sys/net/netfilter/nf_conntrack_max");
  uint32_t most = 0;
  if (!(file >> most) || plan.populations.back() <= most / 5 * 4) return plan;
  plan.populations.back() = most / 5 * 4;
  Results("wire").note("net.netfilter.nf_conntrack_max, which is everybody's on this machine, has room for " +
                       flows_text(most / 5 * 4) + ".");
  return plan;
}

void measure(const Plan& wanted) {
  const Plan plan = fitting(wanted);
  if (auto primed = test::prime_timers(3UL * plan.populations.back() + 200'000); !primed)
    throw std::runtime_error(primed.error().message);
  WireBench bench(plan);
  bind_to(0);
  bench.measure();
}

}  // namespace
}  // namespace xdpflowd::bench

int main(int argc, char** argv) {
  using namespace xdpflowd::bench;
  return bench_main("wire_bench", argc, argv, [](bool is_quick) { measure(is_quick ? quick : full); });
}
