// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/starter.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <future>
#include <iterator>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "dataplane/admin_client.h"
#include "dataplane/bpf_log.h"
#include "dataplane/bpffs.h"
#include "dataplane/configuration.h"
#include "dataplane/dispatcher_pins.h"
#include "dataplane/flow_tables.h"
#include "dataplane/former_layout.h"
#include "dataplane/jiffies.h"
#include "dataplane/layout.h"
#include "dataplane/network_namespace.h"
#include "dataplane/pin_paths.h"
#include "dataplane/tools.h"
#include "dataplane/unload.h"

namespace xdpflowd {
namespace {

constexpr uint32_t records_watermark = 64 * 1024;
constexpr int reaper_attempts = 20;
constexpr auto reaper_pause = std::chrono::milliseconds(50);

/// Whether devices that come later may be wanted.
bool may_wait(const Settings& settings) {
  return std::ranges::any_of(settings.interfaces, [](const auto& entry) { return is_pattern(entry.name); });
}

Error nothing_usable(const std::vector<InterfaceOutcome>& outcomes) {
  std::string reasons;
  for (const auto& outcome : outcomes) reasons += (reasons.empty() ? "" : "; ") + outcome.reason;
  return fail("no interface can be used: " + reasons);
}

uint64_t epoch_of_jiffies() {
  const auto epoch_ns = jiffies_epoch_ns();
  if (epoch_ns) return *epoch_ns;
  log::info("each packet asks the kernel for the time: {}", epoch_ns.error().message);
  return 0;
}

int map_of(const bpf_object* object, const char* name) {
  return bpf_object__find_map_fd_by_name(object, name);
}

}  // namespace

Result<DataPlane> Starter::run() {
  using Step = Status (Starter::*)();
  if (auto prepared = prepare(); !prepared) return prepared.error();
  for (const Step step :
       {&Starter::choose_generation, &Starter::load_tables, &Starter::load_programs, &Starter::open_state,
        &Starter::configure, &Starter::start_reaper, &Starter::attach, &Starter::carry_over}) {
    auto done = (this->*step)();
    if (done) continue;
    clean_up();
    return done.error();
  }
  InterfaceKeeper keeper(std::move(*program_), generation(), hooks_, outcomes_);
  return DataPlane(std::move(*lock_), std::move(*state_), std::move(flow_types_), std::move(keeper),
                   generation_);
}

/// A start that is refused changes nothing.
void Starter::clean_up() const {
  auto cleaned = ok();
  if (before_.generation == 0)
    cleaned = clear_state(state_dir_);
  else if (past_.fresh && std::ranges::none_of(outcomes_, is_attached)) {
    cleaned = clear_beside(state_dir_);
    if (cleaned) cleaned = put_back(state_dir_);
  }
  if (!cleaned) log::warn("{}", cleaned.error().message);
}

Status Starter::prepare() {
  route_bpf_messages();
  auto kernel = check_kernel();
  if (!kernel) return kernel.error();
  kernel_ = *kernel;
  if (auto mounted = ensure_bpffs(state_dir_); !mounted) return mounted;
  auto lock = StateLock::acquire(state_dir_);
  if (!lock) return lock.error();
  lock_.emplace(std::move(*lock));
  auto past = look_back(state_dir_);
  if (!past) return past.error();
  past_ = *past;
  before_ = past_.control;
  zone_settings_ = settings_.zones;
  if (!past_.carries) return ok();
  auto carry = CarryOver::of(state_dir_);
  if (!carry) return carry.error();
  carry_.emplace(std::move(*carry));
  // What is of this layout by now has them already.
  if (past_.fresh)
    std::ranges::copy(carry_->further_zones(settings_.zones), std::back_inserter(zone_settings_));
  return ok();
}

std::vector<unsigned> Starter::present_interfaces() const {
  std::vector<unsigned> found;
  for (const auto& interface : devices_)
    if (const unsigned ifindex = if_nametoindex(interface.name.c_str()); ifindex != 0)
      found.push_back(ifindex);
  return found;
}

/// The running program is kept if it was built from the same objects and runs as the configuration wants it.
Status Starter::choose_generation() {
  for (const auto& folder : {state_dir_, former_layout_dir(state_dir_)}) {
    const UniqueFd pinned(bpf_obj_get(program_pin(folder, "xdpflow").c_str()));
    if (active_ == 0) active_ = program_id_of(pinned.get());
  }
  if (before_.generation != 0 && before_.build == build_hash())
    running_at_ = Takeover(Ownership::of_state(state_dir_), active_)
                      .running_at(present_interfaces(), settings_.daemon.dispatcher);
  // A program whose maps are not those that are pinned would go on with them unseen.
  if (running_at_)
    for (const auto& path : missing_pins(state_dir_)) {
      log::warn("{} was removed: it is made anew, empty, with new programs", path);
      running_at_.reset();
    }
  generation_ = running_at_ ? before_.generation : before_.generation + 1;
  return ok();
}

Status Starter::load_tables() {
  auto loaded = load_maps(state_dir_, generation_, zone_settings_);
  if (!loaded) return loaded.error();
  maps_ = std::move(*loaded);
  auto types = flow_types(maps_.get());
  if (!types) return types.error();
  flow_types_ = std::move(*types);
  if (past_.fresh)
    if (auto reproduced = carry_->reproduce(maps_.get()); !reproduced) return reproduced;
  const ZoneMaps maps{.zones = map_of(maps_.get(), "zones"),
                      .tables = map_of(maps_.get(), "tables"),
                      .former_tables = map_of(maps_.get(), "former_tables")};
  auto zones = make_zones(maps, flow_types_, state_dir_, zone_settings_);
  if (!zones) return zones.error();
  report_leftover_zones(maps, *zones);
  zones_ = std::move(*zones);
  return ok();
}

/// Side by side, for the verifier takes as long for the packet program as for all others.
Status Starter::load_programs() {
  auto tools = std::async(std::launch::async, [this] { return load_tools(); });
  auto program = packet_program();
  auto loaded = tools.get();
  if (!program) return program.error();
  program_.emplace(std::move(*program));
  return loaded;
}

Status Starter::load_tools() {
  if (carry_)
    if (auto loaded = carry_->load(maps_.get(), generation_); !loaded) return loaded;
  return Tools(state_dir_, generation_, running_at_ ? Tools::Pinned::stay : Tools::Pinned::go)
      .pin(maps_.get(), kernel_);
}

Status Starter::open_state() {
  if (auto written = write_control(); !written) return written;
  auto state = PinnedState::open(state_dir_);
  if (!state) return state.error();
  state_.emplace(std::move(*state));
  return ok();
}

/// Everything that the first packet looks up.
Status Starter::configure() {
  if (auto written = write_timeouts(*state_, settings_.timeouts); !written) return written;
  const auto plans = plan_interfaces(devices_, zones_);
  auto indexes = interface_indexes(*state_, plans);
  if (!indexes) return indexes.error();
  std::vector<ZoneRule> rules;
  for (size_t i = 0; i < plans.size(); ++i) {
    const Hook hook{plans[i], (*indexes)[i], if_nametoindex(plans[i].name.c_str())};
    if (auto written = enter_hook(*state_, hook, rules); !written) return written;
    hooks_.push_back(hook);
  }
  return write_zone_rules(*state_, rules);
}

Status Starter::start_reaper() {
  const AdminClient admin(*state_);
  auto started = admin.start_reaper();
  for (int attempt = 1; !started && started.error().code == ENOMEM && attempt < reaper_attempts; ++attempt) {
    std::this_thread::sleep_for(reaper_pause);
    started = admin.start_reaper();
  }
  if (started || started.error().code != ENOMEM) return started;
  log::warn("{}; the first new flow tries again", started.error().message);
  return ok();
}

Status Starter::attach() {
  const auto ownership = Ownership::of_state(state_dir_);
  // A single program is at each hook alone, and counts from its first packet. Under the dispatcher both are
  // there.
  if (program_->is_by_itself() && !running_at_)
    if (auto written = write_control(generation_); !written) return written;
  outcomes_ = Takeover(ownership, active_).attach(*program_, hooks_);
  const bool none = std::none_of(outcomes_.begin(), outcomes_.end(), is_attached);
  if (none && !may_wait(settings_)) return nothing_usable(outcomes_);
  for (const auto& outcome : outcomes_) report(outcome);
  return none ? retire_former() : hand_over();
}

/// With no interface to take over there is no switch, but a program of another layout does not outlive its
/// tables.
Status Starter::retire_former() {
  if (!carry_) return ok();
  if (auto stopped = carry_->stop_counting(); !stopped) return stopped;
  return settle_interfaces(0);
}

Result<PacketProgram> Starter::packet_program() const {
  if (running_at_) {
    log::info("the running data plane, generation {}, was built from the same objects: it stays",
              generation_);
    return PacketProgram::running(active_, *running_at_, Ownership::of_state(state_dir_));
  }
  if (before_.generation != 0)
    log::info("generation {} takes over the flows of generation {}", generation_, before_.generation);
  const uint64_t epoch_ns = epoch_of_jiffies();
  auto object = open_xdpflow(maps_.get(), generation_, epoch_ns);
  if (!object) return object.error();
  const auto policy = settings_.daemon.dispatcher;
  // A program that runs by itself can be replaced without a gap only by one that does so too.
  const bool by_itself =
      policy == DispatcherPolicy::off ||
      (policy == DispatcherPolicy::automatic && Takeover(Ownership::of_state(state_dir_), active_)
                                                    .running_at(present_interfaces(), DispatcherPolicy::off)
                                                    .has_value());
  if (by_itself) return PacketProgram::by_itself(std::move(*object));
  if (policy == DispatcherPolicy::require) return PacketProgram::for_dispatcher(std::move(*object));
  auto spare = open_xdpflow(maps_.get(), generation_, epoch_ns);
  if (!spare) return spare.error();
  return PacketProgram::for_dispatcher_or_alone(std::move(*object), std::move(*spare));
}

/// The pin, then the switch, then the old ones go. Killed in between, the old generation is the active one
/// until the next start.
Status Starter::hand_over() {
  const auto last = [this] { return carry_ ? carry_->stop_counting() : ok(); };
  if (auto active = activate(*state_, generation(), program_->fd(), last); !active) return active;
  return settle_interfaces(program_->id());
}

Generation Starter::generation() const {
  return {.number = generation_,
          .build = build_hash(),
          .former_program = carry_ ? 0 : active_,
          .version = version_};
}

Status Starter::carry_over() {
  return carry_ ? carry_->run(*state_) : ok();
}

/// Leaves `program` where it was attached just now, and no other program of ours anywhere.
Status Starter::settle_interfaces(uint32_t program) {
  auto known = state_->read_interfaces();
  if (!known) return known.error();
  const auto ownership = Ownership::of_state(state_dir_);
  for (const auto& [index, interface] : *known) {
    const auto outcome = outcome_at(index);
    const uint32_t keep = is_attached(outcome) ? program : 0;
    char name[IF_NAMESIZE];
    if (if_indextoname(interface.ifindex, name) == nullptr)
      remove_dispatcher_pins(ownership, interface.ifindex);
    else if (auto left = detach_others_of_ours(interface.ifindex, ownership, keep); !left)
      log::warn("{}: {}", interface.name, left.error().message);
    const auto slot = static_cast<uint16_t>(index);
    if (auto written = write_attachment(*state_, slot, outcome.mode, outcome.dispatcher); !written)
      return written;
  }
  return ok();
}

/// Of the device at `index` in the map `interfaces`; not attached if it is no longer configured.
InterfaceOutcome Starter::outcome_at(unsigned index) const {
  for (size_t i = 0; i < outcomes_.size(); ++i)
    if (hooks_[i].index == index) return outcomes_[i];
  return {};
}

/// All but what the switch to another generation changes.
Status Starter::write_control(uint32_t incoming) {
  auto layout = layout_hash();
  if (!layout) return layout.error();
  xf_control control = before_;
  control.layout = *layout;
  control.revision = XF_LAYOUT_REVISION;
  if (past_.fresh) control.carried_rows = control.former_program = control.former_generation = 0;
  control.incoming = incoming;
  control.records_enabled = settings_.records.file.empty() ? 0 : 1;
  control.records_watermark = records_watermark;
  control.heartbeat_ns = monotonic_ns();
  control.pid = static_cast<uint32_t>(getpid());
  control.netns = own_network_namespace();
  const uint32_t first = 0;
  if (bpf_map_update_elem(map_of(maps_.get(), "control"), &first, &control, BPF_ANY) != 0)
    return system_error(errno, "cannot write the map control");
  return ok();
}

}  // namespace xdpflowd
