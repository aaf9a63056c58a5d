// SPDX-License-Identifier: GPL-2.0-or-later
// Makes flow tables: maps that no BPF object declares, since the configuration says how many there are.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "dataplane/pinned_state.h"

struct bpf_object;

namespace xdpflowd {

/// The types of a flow table: the kernel finds the timer in the value by them.
struct FlowTypes {
  UniqueFd btf;
  uint32_t key = 0;
  uint32_t value = 0;
};

/// From a loaded object; they stay valid without it.
Result<FlowTypes> flow_types(const bpf_object* owner);

/// "half_open" or "established".
const char* table_name(xf_table table);

/// An empty table, pinned. Not enough memory is an error that names the key of the configuration.
Result<FlowTable> make_table(const FlowTypes& types, const std::string& zone, xf_table table, uint32_t size,
                             const std::string& pin);

}  // namespace xdpflowd
