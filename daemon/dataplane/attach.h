// SPDX-License-Identifier: GPL-2.0-or-later
// The packet program and the XDP hooks of interfaces.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "dataplane/loader.h"
#include "dataplane/xdp_state.h"
#include "settings/settings.h"

struct xdp_program;

namespace xdpflowd {

struct Attached {
  xf_mode mode = XF_MODE_DETACHED;
  bool dispatcher = false;
};

/// The program `xdpflow` in one of its two forms: by itself, or (freplace) under libxdp's dispatcher. A
/// loaded program cannot change its form.
class PacketProgram {
 public:
  /// To be loaded by the first attach, which requires the dispatcher.
  static PacketProgram for_dispatcher(BpfObject object);
  /// To be loaded by the first attach: under the dispatcher, or by itself if the kernel refuses the
  /// dispatcher or the program's form for it. `spare` is the same program opened once more: one that was
  /// refused cannot be loaded again.
  static PacketProgram for_dispatcher_or_alone(BpfObject object, BpfObject spare);
  /// Loaded by itself.
  static Result<PacketProgram> by_itself(BpfObject object);
  /// Attached already, at `ifindex` among others.
  static Result<PacketProgram> running(uint32_t program_id, unsigned ifindex, const Ownership& ownership);

  /// -1, or 0: not loaded yet.
  int fd() const;
  uint32_t id() const { return program_id_of(fd()); }
  bool is_by_itself() const { return form_ == Form::by_itself; }
  /// An error once the kernel has refused the program, or the dispatcher that the configuration requires.
  Status is_allowed() const;

  /// `state` is what runs there now. Nothing of others is ever replaced.
  Result<Attached> attach(const std::string& interface, unsigned ifindex, AttachMode wanted,
                          const XdpState& state);
  /// Takes the place of `old`, which runs by itself as this one does, without a gap.
  Result<Attached> replace(unsigned ifindex, uint32_t old, xf_mode mode, const Ownership& ownership) const;

 private:
  enum class Form { undecided, by_itself, dispatcher };

  Status attach_in(unsigned ifindex, xf_mode mode);
  Status attach_by_itself(unsigned ifindex, xf_mode mode) const;
  Status attach_with_libxdp(unsigned ifindex, xf_mode mode);
  int call_libxdp(unsigned ifindex, xf_mode mode) const;
  Status note_form(unsigned ifindex);
  Status stand_alone(int refused, unsigned ifindex, xf_mode mode);

  Form form_ = Form::undecided;
  DispatcherPolicy policy_ = DispatcherPolicy::off;
  BpfObject object_;                     // not of a running program
  BpfObject spare_;                      // until the form is decided
  std::optional<Error> refused_;         // the program itself: it cannot be loaded again
  UniqueFd running_;                     // of a running program
  std::shared_ptr<xdp_program> handle_;  // for libxdp
};

/// Whether a program that runs in `mode` is what the configuration asks for.
bool is_acceptable(AttachMode wanted, xf_mode mode);

/// Takes one program from an interface, whatever else runs there. `state` is from a moment ago.
Status detach_program(unsigned ifindex, const XdpState& state, uint32_t program_id,
                      const Ownership& ownership);

}  // namespace xdpflowd
