// SPDX-License-Identifier: GPL-2.0-or-later
// A data plane full of flows whose ends are known, attached nowhere; how late they went.
#pragma once

#include <cstdint>

#include "support/tracker.h"

namespace xdpflowd::bench {

constexpr uint64_t second_ns = 1'000'000'000;

/// When flow `number` ends, from `start_ns` on, if `every` n-th does so within `over_ns`; 0: not soon.
uint64_t due_ns(uint32_t number, uint32_t flows, uint32_t every, uint64_t start_ns, uint64_t over_ns);

/// How long a fill may take.
uint64_t fill_ns(uint32_t flows);

/// A data plane of `flows` replied UDP flows.
class Ours {
 public:
  Ours(uint32_t flows, bool with_timers);

  /// Flows end evenly over `over_ns` from `start_ns` on: every n-th of them.
  void fill(uint32_t every, uint64_t start_ns, uint64_t over_ns) const;
  /// Nothing is measured with timers failing: those that some flows could not have at once they get within
  /// this time.
  void wait_for_timers() const;
  uint64_t callbacks() const;
  xf_histogram lateness() const { return tracker_.histogram(XF_HISTOGRAM_LATENESS); }

 private:
  uint32_t flows_;
  test::Tracker tracker_;
};

struct Quantiles {
  double p50 = 0, p99 = 0, max = 0;  ///< ms: the upper bounds of the buckets
};

/// Of what came in between.
Quantiles quantiles(const xf_histogram& before, const xf_histogram& after);

}  // namespace xdpflowd::bench
