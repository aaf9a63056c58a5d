// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/probe_bench.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <net/if.h>
#include <sys/epoll.h>

#include <cstring>
#include <stdexcept>

#include "health/target_plan.h"
#include "support/must.h"

namespace xdpflowd::test {
namespace {

template <class Key, class Value>
void put(const bpf_map* map, const Key& key, const Value& value) {
  must(bpf_map_update_elem(bpf_map__fd(map), &key, &value, BPF_ANY), bpf_map__name(map));
}

}  // namespace

ProbeBench::ProbeBench() {
  make_network();
  probe_.reset(probe_bpf__open());
  if (!probe_) throw std::runtime_error("cannot open the probe program");
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, probe_->obj) {
    const bpf_map* shared = bpf_object__find_map_by_name(tracker_.maps(), bpf_map__name(map));
    if (shared && !bpf_map__is_internal(map))
      must(bpf_map__reuse_fd(map, bpf_map__fd(shared)), "share a map");
  }
  must(probe_bpf__load(probe_.get()), "load the probe program");
  auto client =
      ProbeClient::open(bpf_program__fd(probe_->progs.probe), bpf_map__fd(probe_->maps.probe_frames));
  if (!client) throw std::runtime_error(client.error().message);
  client_.emplace(std::move(*client));
  watch_due();
  put(probe_->maps.health, 0U, xf_health_control{own_port, 1, {}, {0x0123456789abcdef, 0xfedcba9876543210}});
}

void ProbeBench::watch_due() {
  const bpf_map* map = probe_->maps.due_probes;
  auto due = EventRing::open(bpf_map__fd(map), bpf_map__max_entries(map), "due_probes");
  if (!due) throw std::runtime_error(due.error().message);
  due_.emplace(std::move(*due));
  epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{.events = EPOLLIN, .data = {}};
  must(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, due_->fd(), &event), "watch the ring due_probes");
}

void ProbeBench::make_network() {
  netns_.set("ipv4/ip_forward", "1");
  netns_.set("ipv6/conf/all/forwarding", "1");
  netns_.set("ipv6/conf/all/accept_dad", "0");
  netns_.ip(
      "link add probe0 address 02:00:00:00:00:01 type veth peer name probe1\n"
      "link set probe0 up\nlink set probe1 up\n"
      "address add 192.0.2.1/24 dev probe0\naddress add 2001:db8::1/64 dev probe0 nodad\n"
      "neighbour add 192.0.2.2 lladdr 02:00:00:00:00:02 dev probe0 nud permanent\n"
      "neighbour add 2001:db8::2 lladdr 02:00:00:00:00:02 dev probe0 nud permanent\n"
      "route add 198.51.100.0/24 via 192.0.2.2\nroute add unreachable 203.0.113.0/24\n");
  netns_.call([this] { ifindex_ = if_nametoindex("probe0"); });
}

uint32_t ProbeBench::add(xf_probe probe, const std::string& address,
                         const std::function<void(xf_target_config&)>& change) {
  const auto index = static_cast<uint32_t>(configs_.size() + 1);
  xf_target_config config{};
  config.address = address_of(address);
  config.source = address_of(address.find(':') == std::string::npos ? own4 : own6);
  config.interval_ns = config.down_interval_ns = 160'000'000;
  config.timeout_ns = 150'000'000;
  config.fall = config.rise = 2;
  config.first_sharer = index;
  config.probe = static_cast<__u8>(probe);
  config.port = probe == XF_PROBE_TCP || probe == XF_PROBE_UDP ? htons(80) : 0;
  config.route_ifindex = ifindex_;
  config.own_mac[0] = 2;
  config.own_mac[5] = 1;
  configs_.push_back(config);
  put(probe_->maps.targets, index, xf_target{});
  configure(index, change);
  if (configs_[index - 1].first_sharer == index) start(index);
  return index;
}

void ProbeBench::configure(uint32_t index, const std::function<void(xf_target_config&)>& change) {
  auto& config = configs_.at(index - 1);
  change(config);
  put(probe_->maps.target_configs, index, config);
  if (config.first_sharer == index) put(probe_->maps.probe_keys, key_of(config), index);
}

void ProbeBench::run(xf_probe_op op, size_t count) {
  netns_.call([&] {
    if (auto done = client_->run(op, count); !done) throw std::runtime_error(done.error().message);
  });
}

void ProbeBench::start(uint32_t index) {
  auto& frame = client_->frames()[0];
  frame.index = index;
  frame.argument = 0;
  run(XF_PROBE_OP_START, 1);
  if (frame.outcome != 0) throw std::runtime_error("START: " + std::to_string(frame.outcome));
}

void ProbeBench::stop(uint32_t index) {
  client_->frames()[0].index = index;
  run(XF_PROBE_OP_STOP, 1);
}

bool ProbeBench::is_woken(std::chrono::milliseconds within) const {
  epoll_event event{};
  return epoll_wait(epoll_.get(), &event, 1, static_cast<int>(within.count())) == 1;
}

void ProbeBench::read_due() {
  do {
    due_->drain(SIZE_MAX, [](std::span<const std::byte>) {});
    due_->commit();
  } while (is_woken(std::chrono::milliseconds(0)));
}

xf_probe_frame ProbeBench::build(uint32_t index) {
  if (!becomes(index, [](const auto& target) { return target.phase == XF_PROBE_PHASE_DUE; }))
    throw std::runtime_error("the target does not fall due");
  auto& frame = client_->frames()[0];
  frame.index = index;
  run(XF_PROBE_OP_BUILD, 1);
  return frame;
}

void ProbeBench::arm(const xf_probe_frame& built, int outcome) {
  auto& frame = client_->frames()[0];
  frame = built;
  frame.outcome = outcome;
  run(XF_PROBE_OP_ARM, 1);
}

xf_probe_frame ProbeBench::send(uint32_t index) {
  const auto frame = build(index);
  arm(frame, frame.outcome);
  return frame;
}

xf_target ProbeBench::target(uint32_t index) const {
  xf_target target{};
  must(bpf_map_lookup_elem_flags(bpf_map__fd(probe_->maps.targets), &index, &target, BPF_F_LOCK),
       "read a target");
  return target;
}

bool ProbeBench::becomes(uint32_t index, const std::function<bool(const xf_target&)>& predicate) const {
  return eventually(patience, [&] { return predicate(target(index)); });
}

std::pair<uint32_t, Bytes> ProbeBench::receive(const Bytes& frame) const {
  Bytes out(frame.size() + 64);
  LIBBPF_OPTS(bpf_test_run_opts, opts);
  opts.data_in = frame.data();
  opts.data_size_in = static_cast<__u32>(frame.size());
  opts.data_out = out.data();
  opts.data_size_out = static_cast<__u32>(out.size());
  must(bpf_prog_test_run_opts(tracker_.program(), &opts), "BPF_PROG_RUN");
  out.resize(opts.data_size_out);
  return {opts.retval, out};
}

std::vector<xf_target_event> ProbeBench::events() const {
  std::vector<xf_target_event> found;
  auto ring =
      EventRing::open(bpf_map__fd(probe_->maps.events), bpf_map__max_entries(probe_->maps.events), "events");
  if (!ring) throw std::runtime_error(ring.error().message);
  ring->drain(SIZE_MAX, [&](std::span<const std::byte> bytes) {
    xf_target_event event;
    if (bytes.size() != sizeof event) return;
    std::memcpy(&event, bytes.data(), sizeof event);
    found.push_back(event);
  });
  ring->commit();
  return found;
}

}  // namespace xdpflowd::test
