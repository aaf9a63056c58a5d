// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/loader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "admin.skel.h"
#include "base/clock.h"
#include "base/log.h"
#include "carry.skel.h"
#include "census.skel.h"
#include "clock.skel.h"
#include "dataplane/bpf_log.h"
#include "dataplane/map_view.h"
#include "dataplane/pin_paths.h"
#include "dataplane/plan.h"
#include "probe.skel.h"
#include "xdpflow.skel.h"

namespace xdpflowd {
namespace {

template <class Skeleton>
std::string_view image() {
  size_t size = 0;
  const void* data = Skeleton::elf_bytes(&size);
  return {static_cast<const char*>(data), size};
}

template <class Skeleton>
Result<BpfObject> open_object(const char* name) {
  const auto elf = image<Skeleton>();
  bpf_object_open_opts options{};
  options.sz = sizeof options;
  options.object_name = name;
  BpfObject object(bpf_object__open_mem(elf.data(), elf.size(), &options));
  if (!object) return system_error(errno, std::string("cannot open the embedded BPF object ") + name);
  return object;
}

bpf_map* rodata_of(bpf_object* object) {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    if (bpf_map__is_internal(map) && std::string_view(bpf_map__name(map)).ends_with(".rodata")) return map;
  }
  return nullptr;
}

/// What differs from one load to the next.
struct Load {
  uint32_t generation = 0;
  uint64_t jiffies_epoch_ns = 0;  ///< only packets take the time from jiffies
};

/// The sizes of the maps must be set.
template <class Skeleton>
Status set_knobs(bpf_object* object, const Load& load) {
  using Rodata = std::remove_pointer_t<decltype(Skeleton::rodata)>;
  size_t size = 0;
  bpf_map* map = rodata_of(object);
  const void* initial = map ? bpf_map__initial_value(map, &size) : nullptr;
  if (!initial || size < sizeof(Rodata)) return fail("the embedded BPF objects do not fit this program");
  std::vector<char> bytes(static_cast<const char*>(initial), static_cast<const char*>(initial) + size);
  Rodata knobs;
  std::memcpy(&knobs, bytes.data(), sizeof knobs);
  knobs.generation = load.generation;
  knobs.coarse_tick_ns = coarse_tick_ns();
  knobs.jiffies_epoch_ns = load.jiffies_epoch_ns;
  knobs.possible_cpus = possible_cpus();
  knobs.orphan_room = bpf_map__max_entries(bpf_object__find_map_by_name(object, "orphans"));
  std::memcpy(bytes.data(), &knobs, sizeof knobs);
  const int failed = bpf_map__set_initial_value(map, bytes.data(), bytes.size());
  return failed == 0 ? ok() : system_error(failed, "cannot set the knobs of the embedded BPF objects");
}

/// The size of a queue that is pinned already, else `wanted`: the size of a map cannot change.
uint32_t pinned_size_or(const std::string& path, uint32_t wanted) {
  const UniqueFd pin(bpf_obj_get(path.c_str()));
  bpf_map_info info{};
  uint32_t size = sizeof info;
  if (!pin || bpf_obj_get_info_by_fd(pin.get(), &info, &size) != 0) return wanted;
  return info.max_entries;
}

Status size_queues(bpf_object* object, const std::string& state_dir, const QueueSizes& sizes) {
  const std::pair<const char*, uint32_t> queues[] = {{"ended", sizes.ended}, {"orphans", sizes.orphans}};
  for (const auto& [name, wanted] : queues) {
    const auto entries = pinned_size_or(map_pin(state_dir, name), wanted);
    bpf_map* map = bpf_object__find_map_by_name(object, name);
    if (!map || bpf_map__set_max_entries(map, entries) != 0)
      return fail(std::string("the embedded BPF objects have no queue ") + name);
    if (entries < wanted && name == std::string_view("orphans"))
      log::warn(
          "the loaded queue for flows without a timer holds {}, the configured tables {}: more of them than "
          "that would "
          "stay until evicted; `xdpflowctl unload` and start anew",
          entries, wanted);
    log::info("queue {}: {} elements, {}", name, entries,
              readable_bytes(queue_bytes(entries, bpf_map__value_size(map))));
  }
  return ok();
}

Status pin_maps_below(bpf_object* object, const std::string& state_dir) {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    if (bpf_map__is_internal(map)) continue;
    const auto path = map_pin(state_dir, bpf_map__name(map));
    if (const int failed = bpf_map__set_pin_path(map, path.c_str()); failed != 0)
      return system_error(failed, "cannot use " + path);
  }
  return ok();
}

Status share_maps(bpf_object* object, const bpf_object* owner) {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    if (bpf_map__is_internal(map)) continue;
    const bpf_map* shared = bpf_object__find_map_by_name(owner, bpf_map__name(map));
    if (!shared) return fail(std::string("there is no map ") + bpf_map__name(map));
    if (const int failed = bpf_map__reuse_fd(map, bpf_map__fd(shared)); failed != 0)
      return system_error(failed, std::string("cannot share map ") + bpf_map__name(map));
  }
  return ok();
}

/// A program over the maps of `owner`.
template <class Skeleton>
Result<BpfObject> open_over(const char* name, const bpf_object* owner, const Load& load) {
  auto object = open_object<Skeleton>(name);
  if (!object) return object;
  if (auto shared = share_maps(object->get(), owner); !shared) return shared.error();
  if (auto set = set_knobs<Skeleton>(object->get(), load); !set) return set.error();
  return object;
}

Result<BpfObject> loaded(Result<BpfObject> object) {
  if (!object) return object;
  if (auto done = load_as_xdp(object->get()); !done) return done.error();
  return object;
}

/// An error that names a pin in the place of one of the maps that is something else.
Status check_pins(bpf_object* object, const std::string& state_dir) {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    if (bpf_map__is_internal(map)) continue;
    const MapShape shape{bpf_map__type(map), bpf_map__key_size(map), bpf_map__value_size(map)};
    const auto pin = RawMap::open_pin(map_pin(state_dir, bpf_map__name(map)), shape);
    if (!pin && pin.error().code != ENOENT) return pin.error();
  }
  return ok();
}

Error out_of_memory(int code, const std::vector<ZoneSettings>& zones) {
  const auto larger = [](const ZoneSettings& a, const ZoneSettings& b) {
    return std::max(a.max_flows, a.max_half_open) < std::max(b.max_flows, b.max_half_open);
  };
  const auto& zone = *std::max_element(zones.begin(), zones.end(), larger);
  const bool established = zone.max_flows >= zone.max_half_open;
  const auto entries = established ? zone.max_flows : zone.max_half_open;
  const auto bytes = flow_table_bytes(entries) + queue_bytes(entries, sizeof(xf_orphan));
  Error error = fail("[zone." + zone.name + "] " + (established ? "max_flows = " : "max_half_open = ") +
                     std::to_string(entries) + ": the kernel has no memory for it (needs about " +
                     readable_bytes(bytes) + "): lower it");
  error.code = code < 0 ? -code : code;
  return error;
}

}  // namespace

void BpfObjectCloser::operator()(bpf_object* object) const {
  bpf_object__close(object);
}

uint64_t build_hash() {
  uint64_t hash = 0xcbf29ce484222325;
  for (const auto bytes : {image<xdpflow_bpf>(), image<admin_bpf>(), image<carry_bpf>(), image<probe_bpf>(),
                           image<census_bpf>()})
    for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

std::vector<std::string> missing_pins(const std::string& state_dir) {
  std::vector<std::string> missing;
  const auto object = open_object<admin_bpf>("admin");
  if (!object) return missing;
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object->get()) {
    auto path = map_pin(state_dir, bpf_map__name(map));
    if (!bpf_map__is_internal(map) && access(path.c_str(), F_OK) != 0) missing.push_back(std::move(path));
  }
  return missing;
}

Error load_error(int code, const std::string& what) {
  for (const auto& line : last_verifier_lines()) log::error("verifier: {}", line);
  return system_error(code, what);
}

Result<BpfObject> load_maps(const std::string& state_dir, uint32_t generation,
                            const std::vector<ZoneSettings>& zones) {
  auto object = open_object<admin_bpf>("maps");
  if (!object) return object;
  bpf_program__set_autoload(bpf_object__next_program(object->get(), nullptr), false);
  if (auto sized = size_queues(object->get(), state_dir, queue_sizes(total_flows(zones))); !sized)
    return sized.error();
  if (auto set = set_knobs<admin_bpf>(object->get(), {.generation = generation}); !set) return set.error();
  if (auto pinned = pin_maps_below(object->get(), state_dir); !pinned) return pinned.error();
  clear_bpf_messages();
  const int failed = bpf_object__load(object->get());
  if (failed == -ENOMEM || failed == -E2BIG) return out_of_memory(failed, zones);
  if (failed != 0)
    if (auto checked = check_pins(object->get(), state_dir); !checked) return checked.error();
  if (failed != 0) return system_error(failed, "the kernel refuses the maps");
  return object;
}

Result<BpfObject> load_admin(const bpf_object* owner, uint32_t generation) {
  return loaded(open_over<admin_bpf>("admin", owner, {.generation = generation}));
}

BpfObject load_census(const bpf_object* owner, uint32_t generation, bool kernel_has_btf) {
  if (!kernel_has_btf) {
    log::info("this kernel has no BTF: tables are counted by walking them, once a minute");
    return nullptr;
  }
  auto object = open_over<census_bpf>("census", owner, {.generation = generation});
  Status outcome = object ? ok() : Status(object.error());
  if (outcome)
    if (const int failed = bpf_object__load(object->get()); failed != 0)
      outcome = system_error(failed, "the kernel refuses the census program");
  if (outcome) return std::move(*object);
  log::info("tables are counted by walking them, once a minute: {}", outcome.error().message);
  return nullptr;
}

Result<BpfObject> load_probe(const bpf_object* owner, uint32_t generation) {
  return loaded(open_over<probe_bpf>("probe", owner, {.generation = generation}));
}

Result<BpfObject> load_carry(const bpf_object* owner, uint32_t generation) {
  return loaded(open_over<carry_bpf>("carry", owner, {.generation = generation}));
}

Result<BpfObject> load_clock() {
  return loaded(open_object<clock_bpf>("clock"));
}

Result<BpfObject> open_xdpflow(const bpf_object* owner, uint32_t generation, uint64_t jiffies_epoch_ns) {
  return open_over<xdpflow_bpf>("xdpflow", owner,
                                {.generation = generation, .jiffies_epoch_ns = jiffies_epoch_ns});
}

Status load_as_xdp(bpf_object* object) {
  clear_bpf_messages();
  const int failed = bpf_object__load(object);
  return failed == 0
             ? ok()
             : load_error(failed, std::string("the kernel refuses the program ") + bpf_object__name(object));
}

int program_fd(const bpf_object* object) {
  return bpf_program__fd(bpf_object__next_program(object, nullptr));
}

Status pin_program(int program, const std::string& state_dir, const std::string& name) {
  const auto folder = programs_dir(state_dir);
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return system_error(errno, "cannot make " + folder);
  const auto path = program_pin(state_dir, name);
  const auto fresh = path + "_new";
  unlink(fresh.c_str());
  if (bpf_obj_pin(program, fresh.c_str()) != 0) return system_error(errno, "cannot pin " + fresh);
  if (std::rename(fresh.c_str(), path.c_str()) != 0) return system_error(errno, "cannot pin " + path);
  return ok();
}

}  // namespace xdpflowd
