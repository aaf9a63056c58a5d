// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/tools.h"

#include <unistd.h>

#include "dataplane/census_client.h"
#include "dataplane/pin_paths.h"

namespace xdpflowd {

bool Tools::stays(const char* name) const {
  return pinned_ == Pinned::stay && access(program_pin(state_dir_, name).c_str(), F_OK) == 0;
}

Status Tools::pin(const bpf_object* maps, const KernelFeatures& kernel) const {
  if (auto pinned = pin_one("admin", load_admin, maps); !pinned) return pinned;
  if (auto pinned = pin_one("probe", load_probe, maps); !pinned) return pinned;
  return stays("census") ? ok() : pin_census(maps, kernel);
}

Status Tools::pin_one(const char* name, Load load, const bpf_object* maps) const {
  if (stays(name)) return ok();
  const auto object = load(maps, generation_);
  if (!object) return object.error();
  return pin_program(program_fd(object->get()), state_dir_, name);
}

Status Tools::pin_census(const bpf_object* maps, const KernelFeatures& kernel) const {
  if (const auto census = load_census(maps, generation_, kernel.btf)) {
    const int program = program_fd(census.get());
    if (auto watched = CensusClient(program).watch(); !watched) return watched;
    return pin_program(program, state_dir_, "census");
  }
  unlink(program_pin(state_dir_, "census").c_str());
  return ok();
}

}  // namespace xdpflowd
