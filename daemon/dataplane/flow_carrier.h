// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "dataplane/carry_client.h"
#include "dataplane/former_state.h"
#include "dataplane/former_table.h"

namespace xdpflowd {

/// Brings the live flows of tables with another layout into ours. Those of a bite are in ours before they
/// leave the other one, so a kill loses none.
class FlowCarrier {
 public:
  /// An error if a flow would be another one without what its layout lacks.
  static Result<FlowCarrier> of(const FormerState& former, const CarryClient& program);

  /// All of the table pinned at `pin`, if there is one.
  Status carry(const std::string& pin, xf_table table);

  uint64_t carried() const { return carried_; }
  /// Those that found no room, again and again.
  uint64_t refused() const { return refused_; }

 private:
  FlowCarrier(StructTranslator keys, StructTranslator flows, const CarryClient& program)
      : keys_(std::move(keys)), flows_(std::move(flows)), program_(program) {}
  void take(const std::byte* key, const std::byte* flow);
  Status hand_over(const FormerTable& former, xf_table table);

  StructTranslator keys_, flows_;
  CarryClient program_;
  std::vector<xf_adopted> bite_;
  std::vector<std::byte> their_keys_;  // of the bite
  uint64_t carried_ = 0, refused_ = 0;
};

}  // namespace xdpflowd
