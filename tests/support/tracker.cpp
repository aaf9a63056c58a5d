// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/tracker.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include <cstring>
#include <stdexcept>
#include <utility>

#include "base/clock.h"
#include "dataplane/admin_client.h"
#include "dataplane/carry_client.h"
#include "dataplane/jiffies.h"
#include "dataplane/plan.h"
#include "support/must.h"

namespace xdpflowd::test {

namespace {

constexpr uint32_t loopback = 1;  // what BPF_PROG_RUN says a frame arrived on

[[noreturn]] void give_up(const std::string& what, int code) {
  throw std::runtime_error(what + ": " + std::strerror(code < 0 ? -code : code));
}

template <class Value>
void put(const bpf_map* map, uint32_t key, const Value& value) {
  must(bpf_map_update_elem(bpf_map__fd(map), &key, &value, BPF_ANY), bpf_map__name(map));
}

void share(bpf_map* map, const bpf_object* owner) {
  const bpf_map* shared = bpf_object__find_map_by_name(owner, bpf_map__name(map));
  if (shared && !bpf_map__is_internal(map)) must(bpf_map__reuse_fd(map, bpf_map__fd(shared)), "share a map");
}

uint32_t id_of(const UniqueFd& map) {
  bpf_map_info info{};
  __u32 size = sizeof info;
  must(bpf_obj_get_info_by_fd(map.get(), &info, &size), "ask for a map's id");
  return info.id;
}

template <class T>
void share_all(T* skeleton, const bpf_object* owner) {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, skeleton->obj) share(map, owner);
}

}  // namespace

Timeouts with_timeout(xf_timeout which, std::chrono::nanoseconds value, Timeouts base) {
  base[which] = value;
  return base;
}

Timeouts all_timeouts(std::chrono::nanoseconds value) {
  Timeouts timeouts;
  timeouts.fill(value);
  return timeouts;
}

namespace {

uint64_t epoch_of_jiffies() {
  const auto epoch_ns = jiffies_epoch_ns();
  return epoch_ns ? *epoch_ns : 0;
}

}  // namespace

Tracker::Tracker(const TrackerOptions& options) {
  libbpf_set_print(nullptr);
  load(options);
  make_tables(options);
  for (uint8_t zone = 0; zone < options.zones; zone++) {
    xf_zone knobs{};
    std::snprintf(knobs.name, sizeof knobs.name, "zone%d", zone);
    knobs.promote_packets = options.promote_packets;
    put(xdpflow_->maps.zones, zone, knobs);
  }
  set_timeouts(options.timeouts);
  set_control([&](xf_control& control) {
    control.generation = 1;
    control.records_enabled = options.records;
    control.records_watermark = 65'536;
  });
  add_rule(0, 0, false);
  if (options.reaper) start_reaper();
}

void Tracker::load(const TrackerOptions& options) {
  admin_.reset(admin_bpf__open());
  xdpflow_.reset(xdpflow_bpf__open());
  if (!admin_ || !xdpflow_) give_up("open the skeletons", errno);
  const uint32_t flows = (options.max_flows + options.max_half_open) * options.zones;
  bpf_map__set_max_entries(admin_->maps.ended, options.ended_queue);
  xdpflow_->rodata->orphan_room = options.orphan_queue ? options.orphan_queue : flows;
  bpf_map__set_max_entries(admin_->maps.orphans, xdpflow_->rodata->orphan_room);
  bpf_map__set_max_entries(admin_->maps.records, options.records_ring);
  xdpflow_->rodata->coarse_tick_ns = coarse_tick_ns();
  xdpflow_->rodata->jiffies_epoch_ns = epoch_of_jiffies();
  xdpflow_->rodata->possible_cpus = possible_cpus();
  options.knobs(xdpflow_.get());
  std::memcpy(admin_->rodata, xdpflow_->rodata, sizeof *admin_->rodata);
  if (int err = admin_bpf__load(admin_.get())) give_up("load the admin program", err);
  share_all(xdpflow_.get(), admin_->obj);
  if (int err = xdpflow_bpf__load(xdpflow_.get())) give_up("load the packet program", err);
}

int Tracker::carry_program() const {
  if (!carry_) {
    carry_.reset(carry_bpf__open());
    if (!carry_) give_up("open the carry program", errno);
    std::memcpy(carry_->rodata, xdpflow_->rodata, sizeof *carry_->rodata);
    share_all(carry_.get(), admin_->obj);
    if (int err = carry_bpf__load(carry_.get())) give_up("load the carry program", err);
  }
  return bpf_program__fd(carry_->progs.carry);
}

const census_bpf* Tracker::census() const {
  if (std::exchange(asked_for_census_, true)) return census_.get();
  census_.reset(census_bpf__open());
  if (!census_) give_up("open the census", errno);
  std::memcpy(census_->rodata, xdpflow_->rodata, sizeof *census_->rodata);
  share_all(census_.get(), admin_->obj);
  if (census_bpf__load(census_.get())) census_.reset();
  return census_.get();
}

UniqueFd Tracker::make_table(uint32_t size) const {
  const btf* types = bpf_object__btf(admin_->obj);
  bpf_map_create_opts map{};
  map.sz = sizeof map;
  map.btf_fd = static_cast<__u32>(bpf_object__btf_fd(admin_->obj));
  map.btf_key_type_id = static_cast<__u32>(btf__find_by_name_kind(types, "xf_flow_key", BTF_KIND_STRUCT));
  map.btf_value_type_id = static_cast<__u32>(btf__find_by_name_kind(types, "xf_flow", BTF_KIND_STRUCT));
  UniqueFd made(
      bpf_map_create(BPF_MAP_TYPE_LRU_HASH, "flows", sizeof(xf_flow_key), sizeof(xf_flow), size, &map));
  must(made.get(), "make a flow table");
  return made;
}

void Tracker::make_tables(const TrackerOptions& options) {
  former_.resize(options.zones * XF_TABLES);
  for (uint32_t index = 0; index < options.zones * XF_TABLES; index++) {
    const bool half_open = index % XF_TABLES == XF_TABLE_HALF_OPEN;
    auto made = make_table(half_open ? options.max_half_open : options.max_flows);
    put(admin_->maps.tables, index, made.get());
    table_ids_.push_back(id_of(made));
    tables_.push_back(std::move(made));
  }
}

void Tracker::resize(xf_table table, uint32_t size, unsigned zone) {
  const uint32_t index = zone * XF_TABLES + table;
  auto made = make_table(size);
  put(admin_->maps.former_tables, index, tables_.at(index).get());
  put(admin_->maps.tables, index, made.get());
  former_.at(index) = std::exchange(tables_.at(index), std::move(made));
  table_ids_.at(index) = id_of(tables_.at(index));
}

void Tracker::show_former(xf_table table, bool shown, unsigned zone) const {
  const uint32_t index = zone * XF_TABLES + table;
  if (shown) return put(admin_->maps.former_tables, index, former_.at(index).get());
  must(bpf_map_delete_elem(bpf_map__fd(admin_->maps.former_tables), &index), "hide a former table");
}

void Tracker::drop_former(xf_table table, unsigned zone) {
  show_former(table, false, zone);
  former_.at(zone * XF_TABLES + table) = UniqueFd();
}

int Tracker::program() const {
  return bpf_program__fd(xdpflow_->progs.xdpflow);
}

int Tracker::table(xf_table table, unsigned zone) const {
  return tables_.at(zone * XF_TABLES + table).get();
}

uint32_t Tracker::run(const Bytes& frame) const {
  LIBBPF_OPTS(bpf_test_run_opts, opts);
  opts.data_in = frame.data();
  opts.data_size_in = static_cast<__u32>(frame.size());
  must(bpf_prog_test_run_opts(program(), &opts),
       "BPF_PROG_RUN of " + std::to_string(frame.size()) + " bytes");
  return opts.retval;
}

void Tracker::run(const std::vector<Packet>& packets) const {
  for (const auto& packet : packets) run(packet);
}

void Tracker::run(const std::vector<Bytes>& frames) const {
  for (const auto& frame : frames) run(frame);
}

double Tracker::repeat(const Bytes& frame, uint32_t count) const {
  LIBBPF_OPTS(bpf_test_run_opts, opts);
  opts.data_in = frame.data();
  opts.data_size_in = static_cast<__u32>(frame.size());
  opts.repeat = static_cast<int>(count);
  must(bpf_prog_test_run_opts(program(), &opts), "BPF_PROG_RUN");
  return opts.duration;
}

void Tracker::set_timeouts(const Timeouts& timeouts) const {
  const auto slots = timeout_slots(timeouts);
  for (uint32_t slot = 0; slot < slots.size(); slot++) put(xdpflow_->maps.timeouts, slot, slots[slot]);
}

void Tracker::set_control(const std::function<void(xf_control&)>& change) const {
  xf_control control{};
  const uint32_t key = 0;
  must(bpf_map_lookup_elem(bpf_map__fd(xdpflow_->maps.control), &key, &control), "read control");
  change(control);
  put(xdpflow_->maps.control, key, control);
}

void Tracker::add_rule(uint16_t vlan, uint8_t zone, bool has_vlans) const {
  const xf_zone_rule_key key{loopback, vlan, 0};
  const xf_zone_rule rule{0, zone, has_vlans};
  must(bpf_map_update_elem(bpf_map__fd(xdpflow_->maps.zone_rules), &key, &rule, BPF_ANY), "set a zone rule");
  if (vlan == 0) put(xdpflow_->maps.rule_cache, loopback, xf_cached_rule{rule, 1});
}

void Tracker::drop_rules() const {
  const xf_zone_rule_key key{loopback, 0, 0};
  must(bpf_map_delete_elem(bpf_map__fd(xdpflow_->maps.zone_rules), &key), "drop a zone rule");
  put(xdpflow_->maps.rule_cache, loopback, xf_cached_rule{});
}

uint32_t Tracker::flush(xf_table table, const std::vector<xf_flow_key>& keys) const {
  auto flushed = AdminClient(bpf_program__fd(admin_->progs.admin)).flush(table, keys);
  if (!flushed) throw std::runtime_error(flushed.error().message);
  return *flushed;
}

uint32_t Tracker::move(xf_table table, const std::vector<xf_flow_key>& keys) const {
  auto left = AdminClient(bpf_program__fd(admin_->progs.admin)).move(table, keys);
  if (!left) throw std::runtime_error(left.error().message);
  return *left;
}

uint32_t Tracker::adopt(xf_table table, const std::vector<xf_adopted>& flows) const {
  auto left = CarryClient(carry_program()).adopt(table, flows);
  if (!left) throw std::runtime_error(left.error().message);
  return *left;
}

void Tracker::add(const std::vector<xf_addend>& rows) const {
  auto added = CarryClient(carry_program()).add(rows);
  if (!added) throw std::runtime_error(added.error().message);
}

uint32_t Tracker::rearm(xf_table table, const std::vector<xf_flow_key>& keys) const {
  auto rearmed = AdminClient(bpf_program__fd(admin_->progs.admin)).rearm(table, keys);
  if (!rearmed) throw std::runtime_error(rearmed.error().message);
  return *rearmed;
}

void Tracker::start_reaper() const {
  const AdminClient admin(bpf_program__fd(admin_->progs.admin));
  if (auto started = admin.start_reaper(); !started) throw std::runtime_error(started.error().message);
}

void Tracker::let_go_of_tables() {
  for (auto& table : tables_) table = UniqueFd();
}

void Tracker::hold_tables() {
  for (size_t i = 0; i < tables_.size(); i++) {
    tables_[i] = UniqueFd(bpf_map_get_fd_by_id(table_ids_[i]));
    must(tables_[i].get(), "take hold of a flow table");
  }
}

}  // namespace xdpflowd::test
