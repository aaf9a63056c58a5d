// SPDX-License-Identifier: GPL-2.0-or-later
#include "sweeps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include "base/clock.h"
#include "flows.h"

namespace xdpflowd::bench {
namespace {

constexpr uint64_t timeout_ns = 1'000'000'000;
constexpr uint64_t far_ns = 3'600'000'000'000;
constexpr uint32_t batch_size = 4096;

struct SweptFlow {
  uint64_t last_seen_ns;
  xf_count forward, reverse;
};

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

double cpu_ms() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

}  // namespace

const std::vector<Sweep>& all_sweeps() {
  static const std::vector all{Sweep::next_key, Sweep::batch, Sweep::iterator, Sweep::for_each};
  return all;
}

std::string name_of(Sweep sweep) {
  switch (sweep) {
    case Sweep::next_key:
      return "get_next_key, lookup, delete";
    case Sweep::batch:
      return "batches";
    case Sweep::iterator:
      return "map iterator";
    case Sweep::for_each:
      return "for_each by BPF_PROG_RUN";
  }
  return "";
}

SweptTable::SweptTable(uint32_t flows) : flows_(flows) {
  if (!load(true) && !load(false)) give_up("load the sweeps");
  if (can(Sweep::iterator)) attach_iterator();
  fill(1, monotonic_ns() + far_ns);
}

bool SweptTable::load(bool with_iterator) {
  programs_.reset(sweep_bpf__open());
  if (!programs_) give_up("open the sweeps");
  bpf_map__set_max_entries(programs_->maps.swept_flows, flows_ + flows_ / 8 + 65'536);
  bpf_program__set_autoload(programs_->progs.sweep_iterator, with_iterator);
  return sweep_bpf__load(programs_.get()) == 0;
}

bool SweptTable::can(Sweep sweep) const {
  return sweep != Sweep::iterator || bpf_program__fd(programs_->progs.sweep_iterator) >= 0;
}

void SweptTable::attach_iterator() {
  bpf_iter_link_info info{};
  info.map.map_fd = static_cast<__u32>(table());
  LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &info, .link_info_len = sizeof info);
  programs_->links.sweep_iterator = bpf_program__attach_iter(programs_->progs.sweep_iterator, &options);
  if (!programs_->links.sweep_iterator) give_up("attach the map iterator");
}

int SweptTable::table() const {
  return bpf_map__fd(programs_->maps.swept_flows);
}

void SweptTable::fill(uint32_t stride, uint64_t last_seen_ns) {
  std::vector<xf_flow_key> keys;
  for (uint32_t number = 0; number < flows_; number += stride) {
    keys.push_back(flow_key(number));
    if (keys.size() < batch_size && number + stride < flows_) continue;
    const std::vector<SweptFlow> values(keys.size(), SweptFlow{last_seen_ns, {1, 60}, {1, 60}});
    auto count = static_cast<__u32>(keys.size());
    LIBBPF_OPTS(bpf_map_batch_opts, options);
    if (bpf_map_update_batch(table(), keys.data(), values.data(), &count, &options)) give_up("fill a table");
    keys.clear();
  }
}

double SweptTable::sweep(Sweep how, uint32_t count) {
  const uint32_t stride = count ? flows_ / count : flows_ + 1;
  const uint64_t overdue = count ? (flows_ + stride - 1) / stride : 0;
  if (count) fill(stride, monotonic_ns() - 2 * timeout_ns);
  programs_->bss->overdue_before_ns = monotonic_ns() - timeout_ns;
  const double before = cpu_ms();
  const uint64_t deleted = how == Sweep::next_key ? by_next_key()
                           : how == Sweep::batch  ? by_batch()
                                                  : by_program(how);
  const double took = cpu_ms() - before;
  if (deleted != overdue)
    throw std::runtime_error(name_of(how) + " deleted " + std::to_string(deleted) + " of " +
                             std::to_string(overdue) + " flows");
  if (count) fill(stride, monotonic_ns() + far_ns);
  return took;
}

bool SweptTable::is_overdue(const void* value) const {
  SweptFlow flow{};
  std::memcpy(&flow, value, sizeof flow);
  return static_cast<int64_t>(flow.last_seen_ns - programs_->bss->overdue_before_ns) <= 0;
}

uint64_t SweptTable::by_next_key() const {
  uint64_t deleted = 0;
  xf_flow_key key{}, next{};
  bool there = bpf_map_get_next_key(table(), nullptr, &key) == 0;
  while (there) {
    SweptFlow flow{};
    there = bpf_map_get_next_key(table(), &key, &next) == 0;
    if (bpf_map_lookup_elem(table(), &key, &flow) == 0 && is_overdue(&flow) &&
        bpf_map_delete_elem(table(), &key) == 0)
      deleted++;
    key = next;
  }
  return deleted;
}

uint64_t SweptTable::by_batch() const {
  uint64_t deleted = 0;
  uint32_t token = 0;
  std::vector<xf_flow_key> keys(batch_size), overdue;
  std::vector<SweptFlow> flows(batch_size);
  LIBBPF_OPTS(bpf_map_batch_opts, options);
  int outcome = 0;
  for (bool first = true; outcome == 0; first = false) {
    __u32 count = batch_size;
    outcome = bpf_map_lookup_batch(table(), first ? nullptr : &token, &token, keys.data(), flows.data(),
                                   &count, &options);
    if (outcome && errno != ENOENT) give_up("look up a batch");
    overdue.clear();
    for (uint32_t i = 0; i < count; i++)
      if (is_overdue(&flows[i])) overdue.push_back(keys[i]);
    auto gone = static_cast<__u32>(overdue.size());
    if (gone && bpf_map_delete_batch(table(), overdue.data(), &gone, &options)) give_up("delete a batch");
    deleted += gone;
  }
  return deleted;
}

uint64_t SweptTable::by_program(Sweep how) {
  programs_->bss->deleted = 0;
  if (how == Sweep::for_each) {
    const std::array<uint8_t, 64> frame{};
    LIBBPF_OPTS(bpf_test_run_opts, options);
    options.data_in = frame.data();
    options.data_size_in = frame.size();
    if (bpf_prog_test_run_opts(bpf_program__fd(programs_->progs.sweep_all), &options))
      give_up("BPF_PROG_RUN");
    return programs_->bss->deleted;
  }
  const UniqueFd walk(bpf_iter_create(bpf_link__fd(programs_->links.sweep_iterator)));
  std::array<char, 4096> nothing;
  ssize_t got = 0;
  do got = read(walk.get(), nothing.data(), nothing.size());
  while (got > 0 || (got < 0 && errno == EAGAIN));
  if (got < 0) give_up("read the map iterator");
  return programs_->bss->deleted;
}

}  // namespace xdpflowd::bench
