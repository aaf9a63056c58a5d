// SPDX-License-Identifier: GPL-2.0-or-later
#include "programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>

namespace xdpflowd::bench {
namespace {

using test::Packet;

constexpr uint64_t five_days = 432'000'000'000'000;

test::TrackerOptions options(const Sizes& sizes) {
  test::TrackerOptions options;
  options.max_flows = sizes.flows;
  options.max_half_open = sizes.new_flows;
  options.records = false;
  options.timeouts = test::all_timeouts(std::chrono::nanoseconds(five_days));
  return options;
}

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

/// The end of the address at `offset`, of 4 or 16 bytes.
Template varied_at(const Packet& packet, bool source) {
  Template made{packet.frame(), 0};
  uint32_t type = 12;
  while (made.frame.at(type) == 0x81 || made.frame.at(type) == 0x88) type += 4;
  const uint32_t network = type + 2;
  const bool ipv6 = made.frame.at(type) == 0x86;
  const uint32_t addresses = network + (ipv6 ? 8 : 12), size = ipv6 ? 16 : 4;
  made.address_offset = addresses + (source ? size : 2 * size) - 4;
  return made;
}

}  // namespace

Template source_varied(const Packet& packet) {
  return varied_at(packet, true);
}

Template destination_varied(const Packet& packet) {
  return varied_at(packet, false);
}

Packet segment() {
  return test::tcp().from("10.0.0.0", 40000).to("198.51.100.1", 443);
}

Packet data() {
  return segment().seq(101).ack_number(501).payload(10);
}

Programs::Programs(const Sizes& sizes) : tracker_(options(sizes)) {
  load_floor(sizes);
  load_rearming();
  attach();
  put(nothing, bpf_program__fd(floor_->progs.nothing));
  put(parse_only, bpf_program__fd(floor_->progs.parse_only));
  put(track_floor, bpf_program__fd(floor_->progs.track_floor));
  put(track_timed, bpf_program__fd(floor_->progs.track_timed));
  put(xdpflow, tracker_.program());
  put(rearming, bpf_program__fd(rearming_->progs.xdpflow));
  put(insert_plain, bpf_program__fd(floor_->progs.insert_plain));
  put(insert_armed, bpf_program__fd(floor_->progs.insert_armed));
}

void Programs::load_floor(const Sizes& sizes) {
  floor_.reset(floor_bpf__open());
  if (!floor_) give_up("open the floor");
  bpf_map__set_max_entries(floor_->maps.floor_flows, sizes.flows);
  bpf_map__set_max_entries(floor_->maps.timed_flows, sizes.flows);
  bpf_map__set_max_entries(floor_->maps.plain_flows, sizes.new_flows);
  bpf_map__set_max_entries(floor_->maps.armed_flows, sizes.new_flows);
  floor_->rodata->coarse_tick_ns = tracker_.skeleton().rodata->coarse_tick_ns;
  floor_->rodata->jiffies_epoch_ns = tracker_.skeleton().rodata->jiffies_epoch_ns;
  if (floor_bpf__load(floor_.get())) give_up("load the floor");
  const uint32_t slot = 0;
  bpf_map_update_elem(bpf_map__fd(floor_->maps.floor_timeouts), &slot, &five_days, BPF_ANY);
}

/// It works on xdpflow's own tables.
void Programs::load_rearming() {
  rearming_.reset(rearming_bpf__open());
  if (!rearming_) give_up("open the re-arming program");
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, rearming_->obj) {
    const bpf_map* shared = bpf_object__find_map_by_name(tracker_.maps(), bpf_map__name(map));
    if (shared && !bpf_map__is_internal(map)) bpf_map__reuse_fd(map, bpf_map__fd(shared));
  }
  std::memcpy(rearming_->rodata, tracker_.skeleton().rodata, sizeof *rearming_->rodata);
  if (rearming_bpf__load(rearming_.get())) give_up("load the re-arming program");
}

/// To a device of a network namespace that ends with this process. The kernel gives each program that is
/// attached natively a direct call; for one that is not it makes the call for each run of more than one
/// packet, for which it waits until no other CPU runs any.
void Programs::attach() const {
  if (unshare(CLONE_NEWNET)) give_up("cannot make a network namespace");
  if (std::system("ip link add bench0 type veth peer name bench1") != 0) give_up("cannot make a device");
  const int device = static_cast<int>(if_nametoindex("bench0"));
  if (bpf_xdp_attach(device, bpf_program__fd(floor_->progs.spread), XDP_FLAGS_DRV_MODE, nullptr))
    give_up("cannot attach `spread`");
}

void Programs::put(Target target, int program) const {
  const uint32_t index = target;
  if (bpf_map_update_elem(bpf_map__fd(floor_->maps.programs), &index, &program, BPF_ANY))
    give_up("cannot chain the programs");
}

double Programs::run(Target target, const Template& packet, const Load& load) const {
  auto& job = floor_->bss->jobs[static_cast<unsigned>(sched_getcpu()) % std::size(floor_->bss->jobs)];
  job.target = target;
  job.address_offset = packet.address_offset;
  job.first = load.first;
  job.flows = load.flows;
  job.random = load.random;
  job.next = 0;
  LIBBPF_OPTS(bpf_test_run_opts, opts);
  opts.data_in = packet.frame.data();
  opts.data_size_in = static_cast<__u32>(packet.frame.size());
  opts.repeat = static_cast<int>(load.packets);
  if (bpf_prog_test_run_opts(bpf_program__fd(floor_->progs.spread), &opts)) give_up("BPF_PROG_RUN");
  if (opts.retval != XDP_PASS)
    throw std::runtime_error("program " + std::to_string(target) + " did not pass the packet");
  return opts.duration;
}

double Programs::run_empty(const Template& packet, uint32_t packets) const {
  LIBBPF_OPTS(bpf_test_run_opts, opts);
  opts.data_in = packet.frame.data();
  opts.data_size_in = static_cast<__u32>(packet.frame.size());
  opts.repeat = static_cast<int>(packets);
  if (bpf_prog_test_run_opts(bpf_program__fd(floor_->progs.nothing), &opts)) give_up("BPF_PROG_RUN");
  return opts.duration;
}

void Programs::establish(uint32_t first, uint32_t count) const {
  const Load load{count, count, false, first};
  const auto before = tracker_.zone_stats().promoted;
  for (const Target floor : {track_floor, track_timed}) run(floor, source_varied(data()), load);
  run(xdpflow, source_varied(segment().syn().seq(100)), load);
  run(xdpflow, destination_varied(segment().reversed().syn().ack_number(101).seq(500)), load);
  run(xdpflow, source_varied(segment().seq(101).ack_number(501)), load);
  if (tracker_.zone_stats().promoted - before < count)
    throw std::runtime_error("not all connections were established");
}

void bind_to(unsigned cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  if (sched_setaffinity(0, sizeof one, &one)) give_up("bind to CPU " + std::to_string(cpu));
}

bool has_room(uint64_t bytes) {
  std::ifstream meminfo("/proc/meminfo");
  for (std::string name, unit; meminfo >> name;) {
    uint64_t kilobytes = 0;
    meminfo >> kilobytes;
    std::getline(meminfo, unit);
    if (name == "MemAvailable:") return kilobytes * 1024 > bytes;
  }
  return false;
}

}  // namespace xdpflowd::bench
