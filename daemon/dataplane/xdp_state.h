// SPDX-License-Identifier: GPL-2.0-or-later
// What runs at the XDP hook of an interface, and which of it is ours.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

struct XdpProgram {
  uint32_t id = 0;
  std::string name;
  bool ours = false;
};

enum class XdpSlot {
  empty,
  single,      // one program, by itself
  dispatcher,  // any number of programs under libxdp's dispatcher
};

struct XdpState {
  XdpSlot slot = XdpSlot::empty;
  xf_mode mode = XF_MODE_DETACHED;
  std::vector<XdpProgram> programs;

  bool runs(uint32_t program_id) const;
  bool only_ours() const;
};

/// "xdp_filter (id 12), xdp_drop (id 13)": those that are not ours.
std::string foreign_programs(const XdpState& state);

/// How to tell our programs from others: they use the pinned map `control`, which is also true for one that a
/// start left behind when it was killed half way; or they are the pinned program.
class Ownership {
 public:
  /// Nothing is ours where nothing is pinned. What a data plane of a former layout left is ours too.
  static Ownership of_state(const std::string& state_dir);
  /// By the map alone, for who holds it though its pin may be gone.
  static Ownership of_control(int control_map);

  bool owns(uint32_t program_id) const;
  /// Empty, with errno, if it cannot be had. The pinned program without CAP_SYS_ADMIN too, which the kernel
  /// wants of those who open a program by its number.
  UniqueFd open(uint32_t program_id) const;

 private:
  struct Pins {
    uint32_t control_map_id = 0;
    uint32_t program_id = 0;
    std::string program_pin;
  };
  static Pins pins_in(const std::string& folder);

  std::vector<Pins> pins_;
};

Result<XdpState> xdp_state(unsigned ifindex, const Ownership& ownership);

bool uses_map(int program, uint32_t map_id);
/// 0 if `program` is no program.
uint32_t program_id_of(int program);
bool is_freplace(int program);

}  // namespace xdpflowd
