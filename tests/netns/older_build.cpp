// SPDX-License-Identifier: GPL-2.0-or-later
#include "older_build.h"

#include <bpf/bpf.h>

#include <stdexcept>

#include "base/unique_fd.h"
#include "xdpflow/abi.h"

namespace xdpflowd::test {

void pretend_to_be_older(const Bpffs& bpffs) {
  const UniqueFd control(bpf_obj_get((bpffs.state_dir() + "/control").c_str()));
  xf_control value{};
  const uint32_t first = 0;
  if (bpf_map_lookup_elem(control.get(), &first, &value) != 0) throw std::runtime_error("no control map");
  value.build ^= 1;
  if (bpf_map_update_elem(control.get(), &first, &value, BPF_ANY) != 0)
    throw std::runtime_error("cannot write the control map");
}

}  // namespace xdpflowd::test
