// SPDX-License-Identifier: GPL-2.0-or-later
// Runs of the carry program, which is loaded for a change of the layout only and never pinned.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"
#include "dataplane/batch_program.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

class CarryClient {
 public:
  /// Borrows the descriptor.
  explicit CarryClient(int program) : program_(program, "carry") {}

  /// Takes flows of a former layout, any number, into `table`; returns how many found no place. One that came
  /// in already is left as it is.
  Result<uint32_t> adopt(xf_table table, std::span<const xf_adopted> flows) const;
  /// Adds to the totals, each row once for the life of the pins.
  Status add(std::span<const xf_addend> rows) const;

 private:
  BatchProgram program_;
};

}  // namespace xdpflowd
