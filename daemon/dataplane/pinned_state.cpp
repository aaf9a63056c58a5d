// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/pinned_state.h"

#include <bpf/bpf.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "dataplane/layout.h"
#include "dataplane/look_back.h"
#include "dataplane/pin_paths.h"
#include "dataplane/xdp_state.h"

namespace xdpflowd {

namespace {

/// Opens pins one after the other and stops at the first error.
class PinOpener {
 public:
  explicit PinOpener(const std::string& state_dir) : state_dir_(state_dir) {}

  template <class View, class... Shape>
  PinOpener& map(View& view, const char* name, Shape... shape) {
    return at(view, map_pin(state_dir_, name), shape...);
  }

  template <class View, class... Shape>
  PinOpener& at(View& view, const std::string& path, Shape... shape) {
    if (!outcome_) return *this;
    auto opened = View::open_pin(path, shape...);
    if (opened)
      view = std::move(*opened);
    else
      outcome_ = opened.error();
    return *this;
  }

  Status outcome() const { return outcome_; }

 private:
  const std::string& state_dir_;
  Status outcome_ = ok();
};

/// The first eight bytes of `control`, whatever its size became.
Result<uint64_t> read_layout(int control, const std::string& path) {
  bpf_map_info info{};
  uint32_t size = sizeof info;
  if (bpf_obj_get_info_by_fd(control, &info, &size) != 0)
    return system_error(errno, "cannot ask the kernel about " + path);
  if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size < sizeof(uint64_t))
    return fail(path + " is not xdpflowd's: remove it, then start xdpflowd");
  std::vector<uint64_t> value((info.value_size + 7) / 8);
  const uint32_t first = 0;
  if (bpf_map_lookup_elem(control, &first, value.data()) != 0)
    return system_error(errno, "cannot read " + path);
  return value[0];
}

Status check_layout(const std::string& state_dir) {
  auto found = pinned_layout(state_dir);
  if (!found) return found.error();
  if (found->value_or(0) == 0)
    return fail("no data plane is loaded under " + state_dir + ": start xdpflowd (or pass --state-dir)");
  auto own = layout_hash();
  if (!own) return own.error();
  if (**found == *own) return ok();
  return fail(made_by(state_dir, state_dir) +
              ": use that version's xdpflowctl; a newer xdpflowd carries its flows over, `xdpflowctl unload` "
              "removes it and loses them");
}

/// One that works on `map`, which is ours.
Result<UniqueFd> open_program(const std::string& state_dir, const char* name, int map) {
  const std::string path = program_pin(state_dir, name);
  UniqueFd program(bpf_obj_get(path.c_str()));
  if (!program) return pin_error(errno, path);
  if (!uses_map(program.get(), map_id_of(map)))
    return fail(path + " is not xdpflowd's; run `xdpflowctl unload`, then start xdpflowd");
  return program;
}

bool is_used(const char* name) {
  return name[0] != '\0';
}

constexpr xf_table both_tables[] = {XF_TABLE_HALF_OPEN, XF_TABLE_ESTABLISHED};
constexpr int swap_attempts =
    100;  // one is over in some milliseconds, most of it waiting for packets under way

Result<std::optional<FlowTable>> open_if_there(const std::string& pin) {
  auto opened = FlowTable::open_pin(pin, BPF_MAP_TYPE_LRU_HASH);
  if (opened) return std::optional(std::move(*opened));
  if (opened.error().code == ENOENT) return std::optional<FlowTable>();
  return opened.error();
}

}  // namespace

Result<std::optional<uint64_t>> pinned_layout(const std::string& state_dir) {
  struct stat about {};
  const bool exists = stat(state_dir.c_str(), &about) == 0;
  if (!exists && errno != ENOENT) return pin_error(errno, state_dir);
  const std::string path = map_pin(state_dir, "control");
  const UniqueFd control(exists ? bpf_obj_get(path.c_str()) : -1);
  if (!control && (!exists || errno == ENOENT)) return std::optional<uint64_t>();
  if (!control) return pin_error(errno, path);
  auto layout = read_layout(control.get(), path);
  if (!layout) return layout.error();
  return std::optional(*layout);
}

Result<PinnedState> PinnedState::open(const std::string& state_dir) {
  if (auto checked = check_layout(state_dir); !checked) return checked.error();
  PinnedState state;
  state.state_dir_ = state_dir;
  if (auto opened = state.open_maps(); !opened) return opened.error();
  if (auto opened = state.open_programs(); !opened) return opened.error();
  if (auto opened = state.reopen_zones(); !opened) return opened.error();
  return state;
}

Status PinnedState::open_maps() {
  PinOpener opener(state_dir_);
  return opener.map(control_, "control", BPF_MAP_TYPE_ARRAY)
      .map(zone_table_, "zones", BPF_MAP_TYPE_ARRAY)
      .map(interfaces_, "interfaces", BPF_MAP_TYPE_ARRAY)
      .map(ledger_, "ledger", BPF_MAP_TYPE_ARRAY)
      .map(timeouts_, "timeouts", BPF_MAP_TYPE_ARRAY)
      .map(crowds_, "crowds", BPF_MAP_TYPE_ARRAY)
      .map(reaper_, "reaper", BPF_MAP_TYPE_ARRAY)
      .map(zone_rules_, "zone_rules", BPF_MAP_TYPE_HASH)
      .map(rule_cache_, "rule_cache", BPF_MAP_TYPE_ARRAY)
      .map(interface_stats_, "interface_stats")
      .map(zone_stats_, "zone_stats")
      .map(global_stats_, "global_stats")
      .map(histograms_, "histograms")
      .map(tables_, "tables", MapShape{BPF_MAP_TYPE_ARRAY_OF_MAPS, sizeof(uint32_t), sizeof(uint32_t)})
      .map(former_tables_, "former_tables",
           MapShape{BPF_MAP_TYPE_ARRAY_OF_MAPS, sizeof(uint32_t), sizeof(uint32_t)})
      .map(ended_, "ended", MapShape{BPF_MAP_TYPE_QUEUE, 0, sizeof(xf_ended)})
      .map(orphans_, "orphans", MapShape{BPF_MAP_TYPE_QUEUE, 0, sizeof(xf_orphan)})
      .map(records_, "records", MapShape{BPF_MAP_TYPE_RINGBUF, 0, 0})
      .map(events_, "events", MapShape{BPF_MAP_TYPE_RINGBUF, 0, 0})
      .map(target_configs_, "target_configs", BPF_MAP_TYPE_HASH)
      .map(targets_, "targets", BPF_MAP_TYPE_HASH)
      .map(probe_keys_, "probe_keys", BPF_MAP_TYPE_HASH)
      .map(target_rtts_, "target_rtts", BPF_MAP_TYPE_HASH)
      .map(health_, "health", BPF_MAP_TYPE_ARRAY)
      .map(probe_frames_, "probe_frames", BPF_MAP_TYPE_ARRAY)
      .map(due_probes_, "due_probes", MapShape{BPF_MAP_TYPE_RINGBUF, 0, 0})
      .outcome();
}

Status PinnedState::open_programs() {
  auto admin = open_program(state_dir_, "admin", tables_.fd());
  if (!admin) return admin.error();
  admin_program_ = std::move(*admin);
  auto probe = open_program(state_dir_, "probe", targets_.fd());
  if (!probe) return probe.error();
  probe_program_ = std::move(*probe);
  auto census = open_program(state_dir_, "census", tables_.fd());
  if (!census && census.error().code != ENOENT) return census.error();
  if (census) census_program_ = std::move(*census);
  return ok();
}

Status PinnedState::reopen_zones() {
  zones_.clear();
  for (uint32_t index = 0; index < XF_ZONES_MAX; ++index) {
    auto zone = zone_table_.get(index);
    if (!zone) return zone.error();
    zone->name[XF_ZONE_NAME_SIZE - 1] = '\0';
    if (!is_used(zone->name)) continue;
    PinnedZone& added = zones_.emplace_back();
    added.index = index;
    added.zone = *zone;
    for (const auto table : both_tables)
      if (auto opened = open_tables(added, table); !opened) return opened;
  }
  return ok();
}

/// A daemon that resizes exchanges the pins a moment after the tables, so a pin's name alone does not tell
/// which of the two is in use; and it may do so between one open and the other.
Status PinnedState::open_tables(PinnedZone& zone, xf_table table) const {
  const auto pin = table_pin(state_dir_, zone.zone.name, table);
  for (int attempt = 0; attempt < swap_attempts; ++attempt) {
    auto opened = FlowTable::open_pin(pin, BPF_MAP_TYPE_LRU_HASH);
    if (!opened) return opened.error();
    auto former = open_if_there(former_table_pin(state_dir_, zone.zone.name, table));
    if (!former) return former.error();
    if (*former && is_in_use(zone, table, **former)) std::swap(*opened, **former);
    if (!is_in_use(zone, table, *opened)) continue;
    zone.tables[table] = std::move(*opened);
    zone.former[table] = std::move(*former);
    return ok();
  }
  return fail(pin + " is not the table that packets use; a start of xdpflowd puts it in its place");
}

bool PinnedState::is_in_use(const PinnedZone& zone, xf_table table, const FlowTable& candidate) const {
  const uint32_t index = zone.index * XF_TABLES + table;
  uint32_t id = 0;
  return tables_.lookup(&index, &id) && id == map_id_of(candidate.fd());
}

bool PinnedState::is_current() const {
  return std::ranges::all_of(zones_, [this](const PinnedZone& zone) {
    return std::ranges::all_of(both_tables,
                               [&](xf_table table) { return is_in_use(zone, table, zone.tables[table]); });
  });
}

const PinnedZone* PinnedState::find_zone(unsigned index) const {
  auto found =
      std::find_if(zones_.begin(), zones_.end(), [=](const auto& zone) { return zone.index == index; });
  return found == zones_.end() ? nullptr : &*found;
}

Result<std::vector<PinnedInterface>> PinnedState::read_interfaces() const {
  auto interfaces = array_values(interfaces_);
  if (!interfaces) return interfaces.error();
  std::vector<PinnedInterface> found;
  for (uint32_t index = 0; index < interfaces->size(); ++index) {
    auto& interface = (*interfaces)[index];
    interface.name[XF_IFNAME_SIZE - 1] = '\0';
    if (is_used(interface.name)) found.push_back({index, interface});
  }
  return found;
}

}  // namespace xdpflowd
