// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <unistd.h>
#include <xdp/libxdp.h>

#include <cerrno>
#include <map>
#include <set>

#include "base/log.h"
#include "dataplane/bpf_log.h"
#include "dataplane/libxdp_scope.h"

namespace xdpflowd {
namespace {

constexpr uint32_t mode_flag(xf_mode mode) {
  return mode == XF_MODE_GENERIC ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
}

constexpr xdp_attach_mode libxdp_mode(xf_mode mode) {
  return mode == XF_MODE_GENERIC ? XDP_MODE_SKB : XDP_MODE_NATIVE;
}

const char* mode_name(xf_mode mode) {
  return mode == XF_MODE_GENERIC ? "generic" : "native";
}

/// The driver's refusal in the kernel's own words, where it has any.
Error refusal(int code, const std::string& what) {
  auto error = system_error(code, what);
  if (const auto words = last_kernel_message(); !words.empty()) error.message += " (" + words + ")";
  return error;
}

/// Not the driver's opinion on native XDP, so that generic mode would be no way out.
bool is_no_matter_of_mode(int code) {
  return code == EBUSY || code == EEXIST || code == ENODEV || code == EPERM || code == ENOENT;
}

std::shared_ptr<xdp_program> libxdp_program(bpf_object* object) {
  xdp_program_opts options{};
  options.sz = sizeof options;
  options.obj = object;
  options.prog_name = "xdpflow";
  xdp_program* program = xdp_program__create(&options);
  if (libxdp_get_error(program) != 0) return nullptr;
  // libxdp does not see it in the section's name; a dispatcher without it is refused above an MTU of about
  // 3500.
  xdp_program__set_xdp_frags_support(program, true);
  return {program, xdp_program__close};
}

/// Its programs' descriptors too, if libxdp leaves them open.
void close_with_descriptors(xdp_multiprog* multi) {
  std::map<int, uint32_t> programs;
  for (auto* program = xdp_multiprog__next_prog(nullptr, multi); program;
       program = xdp_multiprog__next_prog(program, multi))
    programs[xdp_program__fd(program)] = xdp_program__id(program);
  if (auto* main = xdp_multiprog__main_prog(multi)) programs[xdp_program__fd(main)] = xdp_program__id(main);
  xdp_multiprog__close(multi);
  for (const auto& [fd, id] : programs)
    if (fd >= 0 && program_id_of(fd) == id) close(fd);
}

/// libxdp's view of a program that is attached, taken from the dispatcher there: it knows whether the program
/// takes multi-buffer packets, which one made from the program's descriptor does not.
std::shared_ptr<xdp_program> libxdp_program(unsigned ifindex, uint32_t program_id) {
  auto* found = xdp_multiprog__get_from_ifindex(static_cast<int>(ifindex));
  if (libxdp_get_error(found) != 0) return nullptr;
  const std::shared_ptr<xdp_multiprog> multi(found, close_with_descriptors);
  for (auto* program = xdp_multiprog__next_prog(nullptr, found); program;
       program = xdp_multiprog__next_prog(program, found))
    if (xdp_program__id(program) == program_id) return {multi, program};
  return nullptr;
}

Error no_dispatcher() {
  return {"this kernel, or the rights of this process, do not allow libxdp's dispatcher (freplace programs)",
          EPERM, Error::Kind::failed};
}

void warn_of_standing_alone(const Error& why) {
  log::warn("{}: xdpflow is the only XDP program of its interfaces, no other can be attached beside it",
            why.message);
}

Status check_neighbours(const std::string& interface, bool by_itself, const XdpState& state) {
  if (state.only_ours()) return ok();
  const auto others = foreign_programs(state);
  if (state.slot == XdpSlot::single)
    return fail(interface + " runs another XDP program already: " + others +
                "; one that was not attached by libxdp's dispatcher leaves no room: detach it first, or "
                "`xdpflowctl unload --state-dir DIR` if it is an xdpflowd's of another state_dir");
  if (by_itself)
    return fail(
        interface + " runs other XDP programs already: " + others +
        "; to live beside them, set [daemon] dispatcher = \"auto\" and start anew after `xdpflowctl unload`");
  return ok();
}

}  // namespace

PacketProgram PacketProgram::for_dispatcher(BpfObject object) {
  PacketProgram program;
  program.policy_ = DispatcherPolicy::require;
  program.handle_ = libxdp_program(object.get());
  program.object_ = std::move(object);
  return program;
}

PacketProgram PacketProgram::for_dispatcher_or_alone(BpfObject object, BpfObject spare) {
  auto program = for_dispatcher(std::move(object));
  program.policy_ = DispatcherPolicy::automatic;
  program.spare_ = std::move(spare);
  return program;
}

Result<PacketProgram> PacketProgram::by_itself(BpfObject object) {
  if (auto loaded = load_as_xdp(object.get()); !loaded) return loaded.error();
  PacketProgram program;
  program.form_ = Form::by_itself;
  program.object_ = std::move(object);
  return program;
}

Result<PacketProgram> PacketProgram::running(uint32_t program_id, unsigned ifindex,
                                             const Ownership& ownership) {
  PacketProgram program;
  program.running_ = ownership.open(program_id);
  if (!program.running_) return system_error(errno, "cannot open the running program xdpflow");
  program.form_ = is_freplace(program.fd()) ? Form::dispatcher : Form::by_itself;
  if (program.form_ == Form::dispatcher) program.handle_ = libxdp_program(ifindex, program_id);
  return program;
}

int PacketProgram::fd() const {
  return object_ ? program_fd(object_.get()) : running_.get();
}

Result<Attached> PacketProgram::attach(const std::string& interface, unsigned ifindex, AttachMode wanted,
                                       const XdpState& state) {
  if (auto room = check_neighbours(interface, is_by_itself(), state); !room) return room.error();
  xf_mode mode = wanted == AttachMode::generic ? XF_MODE_GENERIC : XF_MODE_NATIVE;
  if (state.slot == XdpSlot::dispatcher) {
    if (!is_acceptable(wanted, state.mode))
      return fail("the dispatcher on " + interface + " runs in " + mode_name(state.mode) +
                  " mode, and all programs under it share one mode: " + foreign_programs(state));
    mode = state.mode;
  }
  auto outcome = attach_in(ifindex, mode);
  if (!outcome && wanted == AttachMode::automatic && state.slot == XdpSlot::empty && fd() >= 0 &&
      !is_no_matter_of_mode(outcome.error().code)) {
    log::warn(
        "{}: {}; generic mode is tried instead: it costs more CPU per packet, and counts packets as merged "
        "by "
        "GRO",
        interface, outcome.error().message);
    mode = XF_MODE_GENERIC;
    outcome = attach_in(ifindex, mode);
  }
  if (!outcome) return in_context(outcome.error(), interface);
  return Attached{mode, form_ == Form::dispatcher};
}

Result<Attached> PacketProgram::replace(unsigned ifindex, uint32_t old, xf_mode mode,
                                        const Ownership& ownership) const {
  const auto old_program = ownership.open(old);
  bpf_xdp_attach_opts options{};
  options.sz = sizeof options;
  options.old_prog_fd = old_program.get();
  clear_bpf_messages();
  const int failed = bpf_xdp_attach(static_cast<int>(ifindex), fd(), mode_flag(mode), &options);
  if (failed != 0) return refusal(failed, "cannot replace the older program");
  return Attached{mode, false};
}

Status PacketProgram::attach_in(unsigned ifindex, xf_mode mode) {
  clear_bpf_messages();
  if (auto allowed = is_allowed(); !allowed) return allowed;
  return form_ == Form::by_itself ? attach_by_itself(ifindex, mode) : attach_with_libxdp(ifindex, mode);
}

Status PacketProgram::attach_by_itself(unsigned ifindex, xf_mode mode) const {
  const int failed =
      bpf_xdp_attach(static_cast<int>(ifindex), fd(), XDP_FLAGS_UPDATE_IF_NOEXIST | mode_flag(mode), nullptr);
  if (failed == 0) return ok();
  return refusal(failed, std::string("cannot attach in ") + mode_name(mode) + " mode");
}

int PacketProgram::call_libxdp(unsigned ifindex, xf_mode mode) const {
  // The first attach loads the program, and libxdp makes a descriptor of its own for it.
  const LibxdpScope scope([this] { return std::set{fd(), xdp_program__fd(handle_.get())}; });
  return xdp_program__attach(handle_.get(), static_cast<int>(ifindex), libxdp_mode(mode), 0);
}

Status PacketProgram::attach_with_libxdp(unsigned ifindex, xf_mode mode) {
  if (!handle_) return fail("libxdp does not know the program; `xdpflowctl unload` and start anew");
  const int failed = call_libxdp(ifindex, mode);
  if (fd() < 0) return stand_alone(failed, ifindex, mode);
  if (form_ == Form::undecided)
    if (auto form = note_form(ifindex); !form) return form;
  if (failed == 0) return ok();
  return refusal(failed, std::string("cannot attach in ") + mode_name(mode) + " mode");
}

/// libxdp falls back to a program by itself without a word.
Status PacketProgram::note_form(unsigned ifindex) {
  form_ = is_freplace(fd()) ? Form::dispatcher : Form::by_itself;
  spare_.reset();
  if (form_ == Form::dispatcher) return ok();
  if (policy_ != DispatcherPolicy::require) {
    warn_of_standing_alone(no_dispatcher());
    return ok();
  }
  if (auto state = xdp_state(ifindex, Ownership()); state && state->runs(id()))
    if (auto detached = detach_program(ifindex, *state, id(), Ownership()); !detached) return detached;
  return is_allowed();
}

/// The verifier holds a program under the dispatcher to other rules than one by itself, in each kernel to its
/// own.
Status PacketProgram::stand_alone(int refused, unsigned ifindex, xf_mode mode) {
  const auto why = load_error(refused, "xdpflow cannot be loaded under libxdp's dispatcher");
  auto alone = spare_ ? by_itself(std::move(spare_)) : why;
  if (!alone) {
    refused_ = alone.error();
    return *refused_;
  }
  warn_of_standing_alone(why);
  *this = std::move(*alone);
  return attach_by_itself(ifindex, mode);
}

Status PacketProgram::is_allowed() const {
  if (refused_) return *refused_;
  if (policy_ != DispatcherPolicy::require || form_ != Form::by_itself) return ok();
  return in_context(no_dispatcher(), "[daemon] dispatcher = \"require\"");
}

bool is_acceptable(AttachMode wanted, xf_mode mode) {
  return wanted == AttachMode::automatic || (wanted == AttachMode::generic) == (mode == XF_MODE_GENERIC);
}

Status detach_program(unsigned ifindex, const XdpState& state, uint32_t program_id,
                      const Ownership& ownership) {
  const LibxdpScope scope;
  const auto program = ownership.open(program_id);
  if (!program) return system_error(errno, "cannot open program " + std::to_string(program_id));
  clear_bpf_messages();
  int failed = 0;
  if (state.slot == XdpSlot::dispatcher) {
    const std::unique_ptr<xdp_program, decltype(&xdp_program__close)> handle(xdp_program__from_id(program_id),
                                                                             xdp_program__close);
    failed = xdp_program__detach(handle.get(), static_cast<int>(ifindex), libxdp_mode(state.mode), 0);
  } else {
    bpf_xdp_attach_opts options{};
    options.sz = sizeof options;
    options.old_prog_fd = program.get();
    failed = bpf_xdp_detach(static_cast<int>(ifindex), mode_flag(state.mode), &options);
  }
  if (failed == 0 || failed == -ENODEV) return ok();
  return refusal(failed, "cannot detach program " + std::to_string(program_id) + " from interface " +
                             std::to_string(ifindex));
}

}  // namespace xdpflowd
