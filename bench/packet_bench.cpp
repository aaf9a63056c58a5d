// SPDX-License-Identifier: GPL-2.0-or-later
// What a packet costs, as ratios: xdpflow and the floor in turns, in one run, the best of several rounds of
// each.
#include <bpf/bpf.h>
#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/timers.h"
#include "support/tracker.h"
#include "xdpflow/abi.h"

#include "floor.skel.h"

namespace xdpflowd::test {
namespace {

constexpr uint32_t million = 1'000'000;
constexpr uint32_t table_size = 1 << 20;
constexpr int rounds = 15;
constexpr int new_flow_rounds = 7;  ///< all of them fit the table
constexpr uint32_t runs_per_round = 400'000;
constexpr uint32_t source_offset = 14 + 12, destination_offset = 14 + 16;

enum Target : uint32_t { nothing, track_floor, track_timed, xdpflow, insert_plain, insert_armed };

struct Limit {
  std::string what;
  double measured, at_most;
  const char* unit;
};

class Bench {
 public:
  Bench() : tracker_(options()), floor_(floor_bpf__open_and_load(), floor_bpf__destroy) {
    if (!floor_) throw std::runtime_error("cannot load the floor");
    put(nothing, bpf_program__fd(floor_->progs.nothing));
    put(track_floor, bpf_program__fd(floor_->progs.track_floor));
    put(track_timed, bpf_program__fd(floor_->progs.track_timed));
    put(xdpflow, tracker_.program());
    put(insert_plain, bpf_program__fd(floor_->progs.insert_plain));
    put(insert_armed, bpf_program__fd(floor_->progs.insert_armed));
    constexpr uint64_t five_days = 432'000'000'000'000;
    const uint32_t slot = 0;
    bpf_map_update_elem(bpf_map__fd(floor_->maps.floor_timeouts), &slot, &five_days, BPF_ANY);
  }

  /// One packet of each flow, in order.
  double each(Target target, const Packet& packet, uint32_t address_offset, uint32_t count,
              uint32_t first = 0) {
    return run(target, packet, address_offset, count, count, false, first);
  }

  /// Packets of any of `flows`; without what `spread` itself costs.
  double any(Target target, const Packet& packet, uint32_t flows) {
    return run(target, packet, source_offset, runs_per_round, flows, true, 0);
  }

  const Tracker& tracker() const { return tracker_; }

 private:
  static TrackerOptions options() {
    TrackerOptions options;
    options.max_flows = options.max_half_open = table_size;
    options.records = false;
    return options;
  }

  void put(uint32_t index, int program) {
    if (bpf_map_update_elem(bpf_map__fd(floor_->maps.programs), &index, &program, BPF_ANY))
      throw std::runtime_error("cannot chain the programs: " + std::string(std::strerror(errno)));
  }

  double run(Target target, const Packet& packet, uint32_t address_offset, uint32_t count, uint32_t flows,
             bool random, uint32_t first) {
    const Bytes frame = packet.frame();
    floor_->bss->target = target;
    floor_->bss->address_offset = address_offset;
    floor_->data->flows = flows;
    floor_->bss->random = random;
    floor_->bss->next = first;
    LIBBPF_OPTS(bpf_test_run_opts, opts);
    opts.data_in = frame.data();
    opts.data_size_in = static_cast<__u32>(frame.size());
    opts.repeat = static_cast<int>(count);
    if (bpf_prog_test_run_opts(bpf_program__fd(floor_->progs.spread), &opts))
      throw std::runtime_error("BPF_PROG_RUN");
    if (opts.retval != XDP_PASS) throw std::runtime_error("a measured program did not pass the packet");
    return opts.duration;
  }

  Tracker tracker_;
  Skeleton<floor_bpf> floor_;
};

Packet segment() {
  return tcp().from("10.0.0.0", 40000).to("198.51.100.1", 443);
}

/// Handshakes of `count` connections: they are promoted to the established table.
void establish(Bench& bench, uint32_t count) {
  bench.each(xdpflow, segment().syn().seq(100), source_offset, count);
  bench.each(xdpflow, segment().reversed().syn().ack_number(101).seq(500), destination_offset, count);
  bench.each(xdpflow, segment().seq(101).ack_number(501), source_offset, count);
  if (bench.tracker().zone_stats().promoted < count)
    throw std::runtime_error("not all connections were established");
}

std::vector<Limit> established_packets(Bench& bench) {
  const Packet data = segment().seq(101).ack_number(501).payload(10);
  for (const Target floor : {track_floor, track_timed}) bench.each(floor, data, source_offset, million);
  establish(bench, million);
  std::vector<Limit> limits;
  std::printf("%-12s %10s %10s %10s   ns per packet, best of %d\n", "flows", "floor", "+ timer", "xdpflow",
              rounds);
  for (const uint32_t flows : {1U, 1000U, 100'000U, million}) {
    std::map<Target, double> best;
    for (int round = 0; round < rounds; round++)
      for (const Target target : {nothing, track_floor, track_timed, xdpflow}) {
        const double took = bench.any(target, data, flows);
        best[target] = best.contains(target) ? std::min(best[target], took) : took;
      }
    const auto net = [&](Target target) { return best[target] - best[nothing]; };
    std::printf("%-12u %10.0f %10.0f %10.0f\n", flows, net(track_floor), net(track_timed), net(xdpflow));
    if (flows != 1 && flows != million) continue;
    const std::string at = " at " + std::to_string(flows) + (flows == 1 ? " flow" : " flows");
    limits.push_back({"established packet / floor" + at, net(xdpflow) / net(track_floor), 1.5, "x"});
    if (flows == 1)
      limits.push_back({"timers on the hot path", net(track_timed) - net(track_floor), 5, " ns"});
  }
  return limits;
}

std::vector<Limit> new_flows(Bench& bench) {
  constexpr uint32_t batch = 50'000;
  std::map<Target, double> best;
  for (int round = 0; round < new_flow_rounds; round++) {
    const uint32_t first = 2 * million + static_cast<uint32_t>(round) * batch;
    for (const Target target : {nothing, insert_plain, insert_armed, xdpflow}) {
      const double took = bench.each(target, segment().syn(), source_offset, batch, first);
      best[target] = best.contains(target) ? std::min(best[target], took) : took;
    }
  }
  const auto net = [&](Target target) { return best[target] - best[nothing]; };
  std::printf("new flow: %.0f ns without a timer, %.0f ns with a bare timer, %.0f ns with xdpflow\n",
              net(insert_plain), net(insert_armed), net(xdpflow));
  return {{"new flow / insert without a timer", net(xdpflow) / net(insert_plain), 2, "x"},
          {"new flow / insert with a bare timer", net(xdpflow) / net(insert_armed), 1.5, "x"}};
}

int measure() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  sched_setaffinity(0, sizeof one, &one);
  if (auto primed = prime_timers(3'000'000); !primed) throw std::runtime_error(primed.error().message);
  Bench bench;
  const auto fresh = new_flows(bench);
  auto limits = established_packets(bench);
  limits.insert(limits.end(), fresh.begin(), fresh.end());
  const auto zone = bench.tracker().zone_stats();
  std::printf("\nkey + value: %zu bytes; %llu of %llu flows had to live without a timer\n",
              sizeof(xf_flow_key) + sizeof(xf_flow), zone.orphaned, zone.created + zone.promoted);
  bool all_kept = true;
  for (const auto& limit : limits) {
    const bool kept = limit.measured <= limit.at_most;
    all_kept = all_kept && kept;
    std::printf("%-42s %6.2f%s  at most %.1f%s  %s\n", limit.what.c_str(), limit.measured, limit.unit,
                limit.at_most, limit.unit, kept ? "ok" : "EXCEEDED");
  }
  return all_kept ? 0 : 1;
}

}  // namespace
}  // namespace xdpflowd::test

int main() {
  try {
    return xdpflowd::test::measure();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "packet_bench: %s\n", error.what());
    return 1;
  }
}
