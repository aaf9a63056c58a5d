// SPDX-License-Identifier: GPL-2.0-or-later
#include "live_frames.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <span>
#include <stdexcept>

namespace xdpflowd::bench {
namespace {

using Clock = std::chrono::steady_clock;

/// As many as one poll of a device takes.
constexpr uint32_t batch = 64;
constexpr uint32_t slice_packets = 4096;

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

constexpr size_t ip_at = 14, ip_check_at = 24, addresses_at = 26, tcp_at = 34, tcp_check_at = 50;

uint32_t sum_of(std::span<const uint8_t> bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); i++) sum += i % 2 ? bytes[i] : bytes[i] << 8U;
  return sum;
}

void put_check(test::Bytes& frame, size_t at, uint32_t sum) {
  while (sum >> 16U) sum = (sum >> 16U) + (sum & 0xffffU);
  frame.at(at) = static_cast<uint8_t>(~sum >> 8U);
  frame.at(at + 1) = static_cast<uint8_t>(~sum);
}

/// Those of RFC 1071, of IP and of TCP.
void add_checksums(test::Bytes& frame) {
  const std::span<const uint8_t> bytes(frame);
  const auto segment = bytes.subspan(tcp_at);
  put_check(frame, ip_check_at, sum_of(bytes.subspan(ip_at, tcp_at - ip_at)));
  const uint32_t pseudo = sum_of(bytes.subspan(addresses_at, 8)) + IPPROTO_TCP;
  put_check(frame, tcp_check_at, pseudo + static_cast<uint32_t>(segment.size()) + sum_of(segment));
}

void put_frame(std::span<uint8_t> place, const Device& from, const test::Packet& packet) {
  auto frame = packet.frame();
  if (frame.size() > place.size()) throw std::runtime_error("the packet is larger than the smallest frame");
  add_checksums(frame);
  std::copy(frame.begin(), frame.end(), place.begin());
  std::copy(from.next_hop.begin(), from.next_hop.end(), place.begin());
}

/// How long the calling thread has waited for a CPU that somebody else had, in its life.
double waited_s() {
  std::ifstream file("/proc/thread-self/schedstat");
  uint64_t ran_ns = 0, waited_ns = 0;
  file >> ran_ns >> waited_ns;
  return static_cast<double>(waited_ns) / 1e9;
}

}  // namespace

void attach_xdp(const Device& device, int program) {
  device.netns.call([&] {
    const auto ifindex = static_cast<int>(if_nametoindex(device.name.c_str()));
    if (bpf_xdp_attach(ifindex, program, XDP_FLAGS_DRV_MODE, nullptr))
      give_up("cannot change the XDP program of " + device.name);
  });
}

/// The kernel gives each program that is attached natively a direct call; for one that is not it makes the
/// call anew for each run, for which it waits until no other CPU runs any.
LiveFrames::LiveFrames() : live_(live_bpf__open_and_load(), live_bpf__destroy) {
  if (!live_) give_up("cannot load the generator of packets");
  warm_.ip("link add warm0 type veth peer name warm1");
  attach_xdp({warm_, "warm0"}, bpf_program__fd(live_->progs.send));
}

void LiveFrames::sink(const Device& device) const {
  attach_xdp(device, bpf_program__fd(live_->progs.sink));
}

void LiveFrames::answer(const Device& device) const {
  attach_xdp(device, bpf_program__fd(live_->progs.answer));
}

void LiveFrames::prepare(const Device& from, const Traffic& traffic) {
  auto& job = live_->bss->job;
  job = {};
  put_frame(job.frame, from, traffic.packet);
  put_frame(job.fresh_frame, from, traffic.fresh_packet);
  job.reverse = traffic.reverse;
  job.first = traffic.first;
  job.flows = traffic.flows;
  job.random = traffic.random;
  job.scatter = traffic.scatter;
  job.fresh_every = traffic.fresh_every;
  job.fresh = fresh_;
}

void LiveFrames::run(uint32_t ifindex, uint32_t packets) const {
  xdp_md context{};
  context.data_end = LIVE_FRAME_SIZE;
  context.ingress_ifindex = ifindex;
  LIBBPF_OPTS(bpf_test_run_opts, opts);
  opts.data_in = live_->bss->job.frame;
  opts.data_size_in = LIVE_FRAME_SIZE;
  opts.ctx_in = &context;
  opts.ctx_size_in = sizeof context;
  opts.repeat = static_cast<int>(packets);
  opts.batch_size = batch;
  opts.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
  if (bpf_prog_test_run_opts(bpf_program__fd(live_->progs.send), &opts)) give_up("live frames");
}

uint64_t LiveFrames::arrived() const {
  uint64_t sum = 0;
  for (const auto& cpu : live_->bss->arrived) sum += cpu.packets;
  return sum;
}

uint64_t LiveFrames::send(const Device& from, const Traffic& traffic, uint32_t packets) {
  const uint64_t before = arrived();
  prepare(from, traffic);
  from.netns.call([&] { run(if_nametoindex(from.name.c_str()), packets); });
  fresh_ = live_->bss->job.fresh;
  return arrived() - before;
}

/// The packets of a batch have arrived before the next is made, so none are on their way while it waits.
double LiveFrames::slice(uint32_t ifindex) const {
  const uint64_t before = arrived();
  const double waited = waited_s();
  const auto start = Clock::now();
  run(ifindex, slice_packets);
  const std::chrono::duration<double> took = Clock::now() - start;
  return static_cast<double>(arrived() - before) / (took.count() - (waited_s() - waited));
}

double LiveFrames::rate(const Device& from, const Traffic& traffic, int slices) {
  Samples rates;
  prepare(from, traffic);
  from.netns.call([&] {
    const uint32_t ifindex = if_nametoindex(from.name.c_str());
    while (rates.size() < static_cast<size_t>(slices)) rates.push_back(slice(ifindex));
  });
  fresh_ = live_->bss->job.fresh;
  return median(rates);
}

}  // namespace xdpflowd::bench
