// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/probe_client.h"

#include <bpf/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

namespace xdpflowd {
namespace {

/// A map that can be mapped is whole pages.
size_t mapped_size() {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return (XF_PROBE_BATCH * sizeof(xf_probe_frame) + page - 1) / page * page;
}

}  // namespace

Result<ProbeClient> ProbeClient::open(int program, int frames) {
  auto memory = MappedMemory::map(frames, mapped_size(), PROT_READ | PROT_WRITE, 0);
  if (!memory) return in_context(memory.error(), "map probe_frames");
  return ProbeClient(program, std::move(*memory));
}

Status ProbeClient::run(xf_probe_op op, size_t count) const {
  xf_probe_request request{.op = op, .count = static_cast<__u32>(count), .zero = 0};
  bpf_test_run_opts options{};
  options.sz = sizeof options;
  options.data_in = &request;
  options.data_size_in = sizeof request;
  options.repeat = 1;
  if (const int failed = bpf_prog_test_run_opts(program_, &options); failed != 0)
    return system_error(failed, "cannot run the probe program");
  const auto answer = static_cast<int>(options.retval);
  return answer == 0 ? ok() : system_error(answer, "the probe program refused");
}

}  // namespace xdpflowd
