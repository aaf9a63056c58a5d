// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/target_reader.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace xdpflowd {
namespace {

constexpr size_t first_batch = 1024;

/// Calls visit(index, value) for every element. `flags`: BPF_F_LOCK for values with a lock.
template <class Value, class Visit>
Status for_each(const Map<uint32_t, Value>& map, uint64_t flags, Visit visit) {
  bpf_map_batch_opts options{};
  options.sz = sizeof options;
  options.elem_flags = flags;
  std::vector<uint32_t> indexes(first_batch);
  std::vector<Value> values(first_batch);
  uint32_t position = 0;
  for (bool started = false;;) {
    auto count = static_cast<uint32_t>(indexes.size());
    const int failed = bpf_map_lookup_batch(map.fd(), started ? &position : nullptr, &position,
                                            indexes.data(), values.data(), &count, &options);
    if (failed != 0 && failed != -ENOENT && failed != -ENOSPC)
      return system_error(failed, "cannot read " + map.name());
    if (failed == -ENOSPC) {  // the next bucket of the hash holds more than fits
      indexes.resize(2 * indexes.size());
      values.resize(2 * values.size());
      continue;
    }
    started = true;
    for (uint32_t i = 0; i < count; ++i) visit(indexes[i], values[i]);
    if (failed == -ENOENT) return ok();
  }
}

}  // namespace

Result<TargetStates> read_target_states(const PinnedState& state) {
  TargetStates states;
  auto read = for_each(state.targets(), BPF_F_LOCK,
                       [&](uint32_t index, const xf_target& target) { states.emplace_back(index, target); });
  if (!read) return read.error();
  std::ranges::sort(states, {}, &TargetStates::value_type::first);
  return states;
}

Result<std::vector<Target>> read_targets(const PinnedState& state) {
  const auto read_states = read_target_states(state);
  if (!read_states) return read_states.error();
  const TargetStates& states = *read_states;
  constexpr uint32_t not_configured = UINT32_MAX;
  std::vector<Target> found(states.size(), {.index = not_configured});
  auto read = for_each(state.target_configs(), 0, [&](uint32_t index, const xf_target_config& config) {
    const auto known = std::ranges::lower_bound(states, index, {}, &TargetStates::value_type::first);
    if (known == states.end() || known->first != index) return;
    found[static_cast<size_t>(known - states.begin())] = {index, config, known->second};
  });
  if (!read) return read.error();
  std::erase_if(found, [](const Target& target) { return target.index == not_configured; });
  return found;
}

Result<TargetHistograms> read_target_rtts(const PinnedState& state) {
  TargetHistograms found;
  auto read = for_each(state.target_rtts(), 0,
                       [&](uint32_t index, const xf_histogram& histogram) { found[index] = histogram; });
  if (!read) return read.error();
  return found;
}

}  // namespace xdpflowd
