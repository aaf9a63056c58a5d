// SPDX-License-Identifier: GPL-2.0-or-later
// What GET /metrics answers, taken apart.
#pragma once

#include <map>
#include <string>

namespace xdpflowd::test {

struct MetricsPage {
  /// Throws on a line that is neither a comment nor a sample.
  static MetricsPage parse(const std::string& text);

  /// `sample` as written: xdpflowd_flows{zone="default",table="half_open"}; throws if there is none.
  double at(const std::string& sample) const;
  bool has(const std::string& sample) const { return samples.contains(sample); }
  /// Of all samples of one metric whose labels contain `label`.
  double sum(const std::string& name, const std::string& label = "") const;
  /// created - (flows + ended + evicted) of zone `default`: what is missing in the books.
  double imbalance() const;
  /// The first counter, histograms' included, that is lower than in `earlier`; "" if none is.
  std::string fell_since(const MetricsPage& earlier) const;

  std::map<std::string, double> samples;
};

}  // namespace xdpflowd::test
