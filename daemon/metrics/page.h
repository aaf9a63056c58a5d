// SPDX-License-Identifier: GPL-2.0-or-later
// What Prometheus scrapes, in its text format, version 0.0.4. Each sample becomes text at once: of ten
// thousand targets there are more than a hundred thousand.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "metrics/catalog.h"
#include "xdpflow/abi.h"

namespace xdpflowd {

/// In the order of the label names in the catalog.
using LabelValues = std::initializer_list<std::string_view>;

class MetricsPage {
 public:
  /// Room for that many samples, so that their text need not move while it grows.
  void expect(Metric metric, size_t samples);
  void sample(Metric metric, LabelValues labels, double value);
  void histogram(Metric metric, LabelValues labels, const xf_histogram& histogram);
  /// In the order of the catalog, without those metrics that got no sample.
  std::string text() const;

 private:
  std::string& samples_of(Metric metric) { return samples_[static_cast<size_t>(metric)]; }

  std::array<std::string, metric_catalog.size()> samples_;
};

}  // namespace xdpflowd
