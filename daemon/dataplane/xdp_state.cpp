// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/xdp_state.h"
#include "dataplane/libxdp_scope.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <xdp/libxdp.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "dataplane/map_view.h"
#include "dataplane/pin_paths.h"

namespace xdpflowd {
namespace {

using Multiprog = std::unique_ptr<xdp_multiprog, decltype(&xdp_multiprog__close)>;

struct Attachment {
  uint32_t program_id = 0;
  xf_mode mode = XF_MODE_DETACHED;
};

Result<Attachment> attachment_of(unsigned ifindex) {
  bpf_xdp_query_opts query{};
  query.sz = sizeof query;
  if (const int failed = bpf_xdp_query(static_cast<int>(ifindex), 0, &query); failed != 0)
    return system_error(failed, "cannot ask which XDP program is attached");
  if (query.drv_prog_id != 0) return Attachment{query.drv_prog_id, XF_MODE_NATIVE};
  if (query.skb_prog_id != 0) return Attachment{query.skb_prog_id, XF_MODE_GENERIC};
  return Attachment{};
}

XdpProgram described(uint32_t id, const Ownership& ownership) {
  XdpProgram program{id, "unnamed", ownership.owns(id)};
  const auto fd = ownership.open(id);
  bpf_prog_info info{};
  uint32_t size = sizeof info;
  if (fd && bpf_obj_get_info_by_fd(fd.get(), &info, &size) == 0 && info.name[0] != '\0')
    program.name = info.name;
  return program;
}

bpf_prog_info basic_info(int program) {
  bpf_prog_info info{};
  uint32_t size = sizeof info;
  if (program < 0 || bpf_obj_get_info_by_fd(program, &info, &size) != 0) return {};
  return info;
}

}  // namespace

bool XdpState::runs(uint32_t program_id) const {
  return std::any_of(programs.begin(), programs.end(),
                     [=](const auto& program) { return program.id == program_id; });
}

bool XdpState::only_ours() const {
  return std::all_of(programs.begin(), programs.end(), [](const auto& program) { return program.ours; });
}

std::string foreign_programs(const XdpState& state) {
  std::string names;
  for (const auto& program : state.programs)
    if (!program.ours)
      names += (names.empty() ? "" : ", ") + program.name + " (id " + std::to_string(program.id) + ")";
  return names;
}

Ownership::Pins Ownership::pins_in(const std::string& folder) {
  Pins pins;
  const UniqueFd control(bpf_obj_get(map_pin(folder, "control").c_str()));
  pins.control_map_id = map_id_of(control.get());
  pins.program_pin = program_pin(folder, "xdpflow");
  const UniqueFd program(bpf_obj_get(pins.program_pin.c_str()));
  pins.program_id = program_id_of(program.get());
  return pins;
}

Ownership Ownership::of_state(const std::string& state_dir) {
  Ownership ownership;
  ownership.pins_ = {pins_in(state_dir), pins_in(former_layout_dir(state_dir))};
  return ownership;
}

Ownership Ownership::of_control(int control_map) {
  Ownership ownership;
  ownership.pins_.emplace_back().control_map_id = map_id_of(control_map);
  return ownership;
}

bool Ownership::owns(uint32_t program_id) const {
  if (program_id == 0) return false;
  const UniqueFd program(bpf_prog_get_fd_by_id(program_id));
  return std::ranges::any_of(pins_, [&](const Pins& pins) {
    return program_id == pins.program_id ||
           (pins.control_map_id != 0 && program && uses_map(program.get(), pins.control_map_id));
  });
}

UniqueFd Ownership::open(uint32_t program_id) const {
  for (const auto& pins : pins_) {
    if (program_id == 0 || program_id != pins.program_id) continue;
    UniqueFd pinned(bpf_obj_get(pins.program_pin.c_str()));
    if (program_id_of(pinned.get()) == program_id) return pinned;
  }
  return UniqueFd(bpf_prog_get_fd_by_id(program_id));
}

Result<XdpState> xdp_state(unsigned ifindex, const Ownership& ownership) {
  auto attached = attachment_of(ifindex);
  if (!attached) return attached.error();
  XdpState state;
  state.mode = attached->mode;
  if (attached->program_id == 0) return state;
  const LibxdpScope scope;
  const Multiprog multi(xdp_multiprog__get_from_ifindex(static_cast<int>(ifindex)), xdp_multiprog__close);
  if (libxdp_get_error(multi.get()) != 0 || xdp_multiprog__is_legacy(multi.get())) {
    state.slot = XdpSlot::single;
    state.programs.push_back(described(attached->program_id, ownership));
    return state;
  }
  state.slot = XdpSlot::dispatcher;
  for (auto* program = xdp_multiprog__next_prog(nullptr, multi.get()); program;
       program = xdp_multiprog__next_prog(program, multi.get()))
    state.programs.push_back(described(xdp_program__id(program), ownership));
  return state;
}

bool uses_map(int program, uint32_t map_id) {
  std::vector<uint32_t> maps(basic_info(program).nr_map_ids);
  bpf_prog_info info{};
  info.nr_map_ids = static_cast<uint32_t>(maps.size());
  info.map_ids = reinterpret_cast<uint64_t>(maps.data());
  uint32_t size = sizeof info;
  return bpf_obj_get_info_by_fd(program, &info, &size) == 0 &&
         std::find(maps.begin(), maps.end(), map_id) != maps.end();
}

uint32_t program_id_of(int program) {
  return basic_info(program).id;
}

bool is_freplace(int program) {
  return basic_info(program).type == BPF_PROG_TYPE_EXT;
}

}  // namespace xdpflowd
