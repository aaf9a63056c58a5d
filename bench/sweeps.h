// SPDX-License-Identifier: GPL-2.0-or-later
// The ways to empty a table by walking all of it, on a table of the same kind and key.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "support/tracker.h"
#include "sweep.skel.h"

namespace xdpflowd::bench {

enum class Sweep { next_key, batch, iterator, for_each };
const std::vector<Sweep>& all_sweeps();
std::string name_of(Sweep sweep);

class SweptTable {
 public:
  /// Full of flows that are not overdue.
  explicit SweptTable(uint32_t flows);
  /// Some kernels refuse iterators, as all tracing programs.
  bool can(Sweep sweep) const;

  /// Makes every n-th flow overdue, so that `count` are, and sweeps; milliseconds of CPU. Throws unless all
  /// of those, and only they, were deleted.
  double sweep(Sweep how, uint32_t count);

 private:
  bool load(bool with_iterator);
  void attach_iterator();
  void fill(uint32_t stride, uint64_t last_seen_ns);
  uint64_t by_next_key() const;
  uint64_t by_batch() const;
  uint64_t by_program(Sweep how);
  bool is_overdue(const void* value) const;
  int table() const;

  uint32_t flows_;
  test::Skeleton<sweep_bpf> programs_{nullptr, sweep_bpf__destroy};
  UniqueFd iterator_;
};

}  // namespace xdpflowd::bench
