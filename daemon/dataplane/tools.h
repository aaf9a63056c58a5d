// SPDX-License-Identifier: GPL-2.0-or-later
// The programs that are run, not attached: admin, probe, census.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "dataplane/kernel.h"

struct bpf_object;

namespace xdpflowd {

class Tools {
 public:
  enum class Pinned {
    stay,  // with the packet program that stays, whose timers hold them: nothing is verified again
    go,
  };

  Tools(std::string state_dir, uint32_t generation, Pinned pinned)
      : state_dir_(std::move(state_dir)), generation_(generation), pinned_(pinned) {}

  /// Whether the one that is pinned is the one to use.
  bool stays(const char* name) const;

  /// Pins those that do not stay. `admin`: loaded, with its program unless that stays. A kernel that cannot
  /// have census does without.
  Status pin(const bpf_object* admin, const KernelFeatures& kernel) const;

 private:
  Status pin_census(const bpf_object* admin, const KernelFeatures& kernel) const;

  const std::string state_dir_;
  const uint32_t generation_;
  const Pinned pinned_;
};

}  // namespace xdpflowd
