// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/batch_program.h"

#include <bpf/bpf.h>

#include <cstring>
#include <vector>

namespace xdpflowd {

Result<int> BatchProgram::run(const xf_run_request& request, std::span<const std::byte> items) const {
  std::vector<std::byte> frame(sizeof request + items.size());
  std::memcpy(frame.data(), &request, sizeof request);
  if (!items.empty()) std::memcpy(frame.data() + sizeof request, items.data(), items.size());
  bpf_test_run_opts run{};
  run.sz = sizeof run;
  run.data_in = frame.data();
  run.data_size_in = static_cast<uint32_t>(frame.size());
  run.repeat = 1;
  if (const int failed = bpf_prog_test_run_opts(program_, &run); failed != 0)
    return system_error(failed, std::string("cannot run the ") + name_ + " program");
  return static_cast<int>(run.retval);
}

}  // namespace xdpflowd
