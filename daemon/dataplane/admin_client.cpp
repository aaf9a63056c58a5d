// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/admin_client.h"

namespace xdpflowd {

Result<uint32_t> AdminClient::flush(xf_table table, std::span<const xf_flow_key> keys) const {
  return program_.for_all(XF_ADMIN_FLUSH, "flush", table, keys, XF_ADMIN_BATCH_MAX);
}

Result<uint32_t> AdminClient::rearm(xf_table table, std::span<const xf_flow_key> keys) const {
  return program_.for_all(XF_ADMIN_REARM, "set timers", table, keys, XF_ADMIN_BATCH_MAX);
}

Result<uint32_t> AdminClient::move(xf_table table, std::span<const xf_flow_key> keys) const {
  return program_.for_all(XF_ADMIN_MOVE, "move flows", table, keys, XF_ADMIN_BATCH_MAX);
}

Status AdminClient::start_reaper() const {
  auto answer = program_.run({.op = XF_ADMIN_START_REAPER, .table = 0, .count = 0, .zero = 0}, {});
  if (!answer) return answer.error();
  if (*answer != 0) return system_error(*answer, "cannot start the reaper's timer");
  return ok();
}

}  // namespace xdpflowd
