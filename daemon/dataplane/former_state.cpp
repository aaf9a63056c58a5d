// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/former_state.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <cerrno>

#include "base/log.h"
#include "base/unique_fd.h"
#include "dataplane/map_view.h"
#include "dataplane/pin_paths.h"

namespace xdpflowd {
namespace {

constexpr uint64_t never_ns = 1ULL << 60;

Result<bpf_map_info> info_of(const UniqueFd& map, const std::string& path) {
  bpf_map_info info{};
  uint32_t size = sizeof info;
  if (!map) return pin_error(errno, path);
  if (bpf_obj_get_info_by_fd(map.get(), &info, &size) != 0)
    return system_error(errno, "cannot ask the kernel about " + path);
  return info;
}

Error no_types(int code, const std::string& path) {
  Error error = system_error(code, "cannot read the types of " + path);
  if (code == EPERM || code == -EPERM) error.message += " (needs CAP_SYS_ADMIN)";
  return error;
}

}  // namespace

Result<FormerState> FormerState::open(const std::string& folder) {
  auto own = OwnTypes::read();
  if (!own) return own.error();
  FormerState state(folder, std::move(*own));
  if (auto read = state.read_control(); !read) return read.error();
  return state;
}

Status FormerState::read_control() {
  const auto path = map_pin(folder_, "control");
  const UniqueFd control(bpf_obj_get(path.c_str()));
  const auto info = info_of(control, path);
  if (!info) return info.error();
  if (info->btf_id == 0) return fail(path + " has no types");
  types_.reset(btf__load_from_kernel_by_id(info->btf_id), &btf__free);
  if (!types_) return no_types(errno, path);
  const auto values = array<xf_control>("control", "xf_control");
  if (!values) return values.error();
  if (values->empty()) return fail(path + " is empty");
  control_ = values->front();
  return ok();
}

Result<std::vector<std::byte>> FormerState::elements(const std::string& map, const std::string& type) const {
  const auto plan = translator(type);
  if (!plan) return in_context(plan.error(), map);
  const auto view = RawMap::open_pin(map_pin(folder_, map), {BPF_MAP_TYPE_ARRAY, sizeof(uint32_t),
                                                             static_cast<uint32_t>(plan->their_size())});
  if (!view) return view.error();
  std::vector<std::byte> theirs(view->max_entries() * ((plan->their_size() + 7) & ~size_t{7}));
  if (auto read = view->read_array(theirs.data()); !read) return read.error();
  std::vector<std::byte> ours(view->max_entries() * plan->our_size());
  for (uint32_t i = 0; i < view->max_entries(); ++i)
    plan->translate(theirs.data() + i * plan->their_size(), ours.data() + i * plan->our_size());
  return ours;
}

Result<std::vector<uint64_t>> FormerState::totals(const std::string& map, const std::string& type) const {
  const auto plan = translator(type);
  if (!plan) return in_context(plan.error(), map);
  const auto view = RawMap::open_pin(map_pin(folder_, map), {BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(uint32_t),
                                                             static_cast<uint32_t>(plan->their_size())});
  if (!view) return view.error();
  const int cpus = libbpf_num_possible_cpus();
  if (cpus < 0) return system_error(cpus, "cannot tell the number of CPUs");
  report_losses(map, *plan);
  const size_t step = (plan->their_size() + 7) & ~size_t{7}, words = plan->our_size() / sizeof(uint64_t);
  std::vector<std::byte> theirs(step * static_cast<size_t>(cpus));
  std::vector<uint64_t> one(words), sums(words * view->max_entries());
  for (uint32_t index = 0; index < view->max_entries(); ++index) {
    if (auto read = view->lookup(&index, theirs.data()); !read) return read.error();
    for (size_t cpu = 0; cpu < static_cast<size_t>(cpus); ++cpu) {
      plan->translate(theirs.data() + cpu * step, one.data());
      for (size_t word = 0; word < words; ++word) sums[index * words + word] += one[word];
    }
  }
  return sums;
}

Status FormerState::stop_counting() const {
  // Ours into theirs: only to learn where the two members are.
  const auto back = StructTranslator::between(own_types_.get(), types_.get(), "xf_control");
  if (!back) return back.error();
  const auto view = RawMap::open_pin(map_pin(folder_, "control"), {BPF_MAP_TYPE_ARRAY, sizeof(uint32_t),
                                                                   static_cast<uint32_t>(back->our_size())});
  if (!view) return view.error();
  xf_control stopped = control_;
  stopped.generation = stopped.incoming = 0;
  std::vector<std::byte> theirs(back->our_size());
  back->translate(&stopped, theirs.data());
  const uint32_t first = 0;
  return view->update(&first, theirs.data());
}

Status FormerState::stop_clock() const {
  const auto view = RawMap::open_pin(map_pin(folder_, "timeouts"),
                                     {BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), sizeof(uint64_t)});
  if (!view) return view.error();
  for (uint32_t slot = 0; slot < view->max_entries(); ++slot)
    if (auto stopped = view->update(&slot, &never_ns); !stopped) return stopped;
  return ok();
}

void report_losses(const std::string& what, const StructTranslator& translator) {
  for (const auto& gap : translator.gaps()) log::warn("carry-over: {}: {}: it starts from zero", what, gap);
  for (const auto& member : translator.left_over())
    log::info("carry-over: {}: {} of the former layout is not kept", what, member);
}

}  // namespace xdpflowd
