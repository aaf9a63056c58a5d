// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/admin_client.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace xdpflowd {

Result<int> AdminClient::run(const xf_admin_request& request, std::span<const std::byte> items) const {
  std::vector<std::byte> frame(sizeof request + items.size());
  std::memcpy(frame.data(), &request, sizeof request);
  if (!items.empty()) std::memcpy(frame.data() + sizeof request, items.data(), items.size());
  bpf_test_run_opts run{};
  run.sz = sizeof run;
  run.data_in = frame.data();
  run.data_size_in = static_cast<uint32_t>(frame.size());
  run.repeat = 1;
  if (const int failed = bpf_prog_test_run_opts(program_, &run); failed != 0)
    return system_error(failed, "cannot run the admin program");
  return static_cast<int>(run.retval);
}

template <class Item>
Result<uint32_t> AdminClient::change(xf_admin_op op, const char* what, xf_table table,
                                     std::span<const Item> items, size_t bite) const {
  uint32_t changed = 0;
  while (!items.empty()) {
    const auto some = items.first(std::min(items.size(), bite));
    auto answer = run({.op = op, .table = table, .count = static_cast<__u32>(some.size()), .zero = 0},
                      std::as_bytes(some));
    if (!answer) return answer.error();
    if (*answer < 0) return system_error(*answer, std::string("the admin program refused to ") + what);
    changed += static_cast<uint32_t>(*answer);
    items = items.subspan(some.size());
  }
  return changed;
}

Result<uint32_t> AdminClient::flush(xf_table table, std::span<const xf_flow_key> keys) const {
  return change(XF_ADMIN_FLUSH, "flush", table, keys, XF_ADMIN_BATCH_MAX);
}

Result<uint32_t> AdminClient::rearm(xf_table table, std::span<const xf_flow_key> keys) const {
  return change(XF_ADMIN_REARM, "set timers", table, keys, XF_ADMIN_BATCH_MAX);
}

Result<uint32_t> AdminClient::move(xf_table table, std::span<const xf_flow_key> keys) const {
  return change(XF_ADMIN_MOVE, "move flows", table, keys, XF_ADMIN_BATCH_MAX);
}

Result<uint32_t> AdminClient::adopt(xf_table table, std::span<const xf_adopted> flows) const {
  return change(XF_ADMIN_ADOPT, "adopt flows", table, flows, XF_ADOPT_BATCH_MAX);
}

Status AdminClient::add(std::span<const xf_addend> rows) const {
  const auto added = change(XF_ADMIN_ADD, "add totals", XF_TABLE_HALF_OPEN, rows, XF_ADD_BATCH_MAX);
  return added ? ok() : Status(added.error());
}

Status AdminClient::start_reaper() const {
  auto answer = run({.op = XF_ADMIN_START_REAPER, .table = 0, .count = 0, .zero = 0}, {});
  if (!answer) return answer.error();
  if (*answer != 0) return system_error(*answer, "cannot start the reaper's timer");
  return ok();
}

}  // namespace xdpflowd
