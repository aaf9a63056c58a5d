// SPDX-License-Identifier: GPL-2.0-or-later
// The programs that are run, not attached: admin, probe, census.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "dataplane/kernel.h"
#include "dataplane/loader.h"

namespace xdpflowd {

class Tools {
 public:
  enum class Pinned {
    stay,  // with the packet program that stays, whose timers hold them: nothing is verified again
    go,
  };

  Tools(std::string state_dir, uint32_t generation, Pinned pinned)
      : state_dir_(std::move(state_dir)), generation_(generation), pinned_(pinned) {}

  /// Loads and pins those that do not stay, over `maps`. A kernel that cannot have census does without.
  Status pin(const bpf_object* maps, const KernelFeatures& kernel) const;

 private:
  using Load = Result<BpfObject> (*)(const bpf_object* owner, uint32_t generation);

  bool stays(const char* name) const;
  Status pin_one(const char* name, Load load, const bpf_object* maps) const;
  Status pin_census(const bpf_object* maps, const KernelFeatures& kernel) const;

  const std::string state_dir_;
  const uint32_t generation_;
  const Pinned pinned_;
};

}  // namespace xdpflowd
