// SPDX-License-Identifier: GPL-2.0-or-later
// A program that does the same to many items, run after run.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

class BatchProgram {
 public:
  /// Borrows the descriptor. `name` is for messages, and outlives it.
  BatchProgram(int program, const char* name) : program_(program), name_(name) {}

  /// Any number of items, `bite` at a time; the sum of what the runs return. `what` it does, for messages.
  template <class Item>
  Result<uint32_t> for_all(uint32_t op, const char* what, xf_table table, std::span<const Item> items,
                           size_t bite) const {
    uint32_t sum = 0;
    while (!items.empty()) {
      const auto some = items.first(std::min(items.size(), bite));
      auto answer = run({.op = op, .table = table, .count = static_cast<__u32>(some.size()), .zero = 0},
                        std::as_bytes(some));
      if (!answer) return answer.error();
      if (*answer < 0)
        return system_error(*answer, std::string("the ") + name_ + " program refused to " + what);
      sum += static_cast<uint32_t>(*answer);
      items = items.subspan(some.size());
    }
    return sum;
  }

  /// What the program returned.
  Result<int> run(const xf_run_request& request, std::span<const std::byte> items) const;

 private:
  int program_;
  const char* name_;
};

}  // namespace xdpflowd
