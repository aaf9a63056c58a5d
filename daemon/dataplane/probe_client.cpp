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

Status ask(int program, xf_probe_request request) {
  bpf_test_run_opts options{};
  options.sz = sizeof options;
  options.data_in = &request;
  options.data_size_in = sizeof request;
  options.repeat = 1;
  if (const int failed = bpf_prog_test_run_opts(program, &options); failed != 0)
    return system_error(failed, "cannot run the probe program");
  const auto answer = static_cast<int>(options.retval);
  return answer == 0 ? ok() : system_error(answer, "the probe program refused");
}

}  // namespace

Result<ProbeClient> ProbeClient::open(int program, int frames) {
  auto memory = MappedMemory::map(frames, mapped_size(), PROT_READ | PROT_WRITE, 0);
  if (!memory) return in_context(memory.error(), "map probe_frames");
  return ProbeClient(program, std::move(*memory));
}

Status ProbeClient::run(xf_probe_op op, size_t count) const {
  return ask(program_, {.op = op, .count = static_cast<__u32>(count), .index = 0, .health = 0});
}

Status force_health(int program, uint32_t index, xf_health health) {
  return ask(program, {.op = XF_PROBE_OP_FORCE, .count = 0, .index = index, .health = health});
}

}  // namespace xdpflowd
