// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/tools.h"

#include <unistd.h>

#include "dataplane/census_client.h"
#include "dataplane/loader.h"
#include "dataplane/pin_paths.h"

namespace xdpflowd {

bool Tools::stays(const char* name) const {
  return pinned_ == Pinned::stay && access(program_pin(state_dir_, name).c_str(), F_OK) == 0;
}

Status Tools::pin(const bpf_object* admin, const KernelFeatures& kernel) const {
  if (!stays("admin"))
    if (auto pinned = pin_program(program_fd(admin), state_dir_, "admin"); !pinned) return pinned;
  if (!stays("probe")) {
    const auto probe = load_probe(admin, generation_);
    if (!probe) return probe.error();
    if (auto pinned = pin_program(program_fd(probe->get()), state_dir_, "probe"); !pinned) return pinned;
  }
  return stays("census") ? ok() : pin_census(admin, kernel);
}

Status Tools::pin_census(const bpf_object* admin, const KernelFeatures& kernel) const {
  if (const auto census = load_census(admin, generation_, kernel.btf)) {
    const int program = program_fd(census.get());
    if (auto watched = CensusClient(program).watch(); !watched) return watched;
    return pin_program(program, state_dir_, "census");
  }
  unlink(program_pin(state_dir_, "census").c_str());
  return ok();
}

}  // namespace xdpflowd
