// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/census_client.h"

#include <bpf/bpf.h>

#include "xdpflow/abi.h"

namespace xdpflowd {

namespace {

// The smallest frame that a test run takes is an Ethernet header.
static_assert(sizeof(xf_census) >= 14);

Status run(int program, xf_census& request) {
  bpf_test_run_opts run{};
  run.sz = sizeof run;
  run.data_in = run.data_out = &request;
  run.data_size_in = run.data_size_out = sizeof request;
  run.repeat = 1;
  const int failed = bpf_prog_test_run_opts(program, &run);
  return failed == 0 ? ok() : system_error(failed, "cannot run the census program");
}

}  // namespace

Result<std::optional<TableCount>> CensusClient::count(uint32_t index) const {
  if (program_ < 0) return std::optional<TableCount>();
  xf_census census{};
  census.op = XF_CENSUS_COUNT;
  census.index = index;
  if (auto counted = run(program_, census); !counted) return counted.error();
  if (!census.supported) return std::optional<TableCount>();
  return std::optional(TableCount{.elements = census.count, .former = census.former});
}

Status CensusClient::watch() const {
  xf_census census{};
  census.op = XF_CENSUS_WATCH;
  return run(program_, census);
}

}  // namespace xdpflowd
