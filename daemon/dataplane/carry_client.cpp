// SPDX-License-Identifier: GPL-2.0-or-later
#include "dataplane/carry_client.h"

namespace xdpflowd {

Result<uint32_t> CarryClient::adopt(xf_table table, std::span<const xf_adopted> flows) const {
  return program_.for_all(XF_CARRY_FLOWS, "adopt flows", table, flows, XF_ADOPT_BATCH_MAX);
}

Status CarryClient::add(std::span<const xf_addend> rows) const {
  const auto added =
      program_.for_all(XF_CARRY_TOTALS, "add totals", XF_TABLE_HALF_OPEN, rows, XF_ADD_BATCH_MAX);
  return added ? ok() : Status(added.error());
}

}  // namespace xdpflowd
