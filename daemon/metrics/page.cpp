// SPDX-License-Identifier: GPL-2.0-or-later
#include "metrics/page.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

namespace xdpflowd {
namespace {

template <class Number>
void append_chars(std::string& out, Number number) {
  char text[32];
  out.append(text, std::to_chars(text, text + sizeof text, number).ptr);
}

/// Counts as whole numbers, which are also the quickest to write.
void append_value(std::string& out, double value) {
  constexpr double exact_integers = 9007199254740992.0;  // 2^53
  const bool may_be_whole = std::fabs(value) < exact_integers;
  if (const auto whole = may_be_whole ? static_cast<int64_t>(value) : 0;
      may_be_whole && static_cast<double>(whole) == value)
    append_chars(out, whole);
  else if (std::isfinite(value))
    append_chars(out, value);
  else
    out += std::isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

void append_escaped(std::string& out, std::string_view text, bool quoted) {
  const auto is_special = [quoted](char c) { return c == '\\' || c == '\n' || (quoted && c == '"'); };
  if (std::ranges::none_of(text, is_special)) {
    out += text;
    return;
  }
  for (const char c : text) {
    if (is_special(c)) out += '\\';
    out += c == '\n' ? 'n' : c;
  }
}

/// `upper_bound`: of a histogram's bucket, the label `le`.
void append_labels(std::string& out, const MetricEntry& entry, LabelValues values,
                   std::optional<double> upper_bound) {
  char before = '{';
  const auto* name = entry.labels.begin();
  for (const std::string_view value : values) {
    out += before;
    out += *name++;
    out += "=\"";
    append_escaped(out, value, true);
    out += '"';
    before = ',';
  }
  if (upper_bound) {
    out += before;
    out += "le=\"";
    append_value(out, *upper_bound);
    out += '"';
    before = ',';
  }
  if (before == ',') out += '}';
}

struct Series {
  const MetricEntry& entry;
  std::string_view suffix;
  LabelValues labels;
  std::optional<double> upper_bound;
};

void append_sample(std::string& out, const Series& series, double value) {
  out += series.entry.name;
  out += series.suffix;
  append_labels(out, series.entry, series.labels, series.upper_bound);
  out += ' ';
  append_value(out, value);
  out += '\n';
}

void append_head(std::string& out, const MetricEntry& entry) {
  out += "# HELP ";
  out += entry.name;
  out += ' ';
  append_escaped(out, entry.help, false);
  out += "\n# TYPE ";
  out += entry.name;
  out += ' ';
  out += metric_type_name(entry.type);
  out += '\n';
}

}  // namespace

void MetricsPage::expect(Metric metric, size_t samples) {
  constexpr size_t labels_and_value = 48;
  samples_of(metric).reserve(samples * (metric_entry(metric).name.size() + labels_and_value));
}

void MetricsPage::sample(Metric metric, LabelValues labels, double value) {
  append_sample(samples_of(metric), {metric_entry(metric), "", labels, {}}, value);
}

void MetricsPage::histogram(Metric metric, LabelValues labels, const xf_histogram& histogram) {
  const MetricEntry& entry = metric_entry(metric);
  std::string& out = samples_of(metric);
  uint64_t count = 0;
  for (size_t i = 0; i < XF_HISTOGRAM_BUCKETS; ++i) {
    const bool is_last = i == XF_HISTOGRAM_BUCKETS - 1;
    const double bound_seconds =
        is_last ? std::numeric_limits<double>::infinity() : std::ldexp(1e-6, static_cast<int>(i));
    count += histogram.bucket[i];
    append_sample(out, {entry, "_bucket", labels, bound_seconds}, static_cast<double>(count));
  }
  append_sample(out, {entry, "_sum", labels, {}}, static_cast<double>(histogram.sum_ns) / 1e9);
  append_sample(out, {entry, "_count", labels, {}}, static_cast<double>(count));
}

std::string MetricsPage::text() const {
  constexpr size_t head = 256;
  size_t expected = 0;
  for (const std::string& samples : samples_) expected += samples.size() + head;
  std::string text;
  text.reserve(expected);
  for (const MetricEntry& entry : metric_catalog) {
    const std::string& samples = samples_[static_cast<size_t>(entry.id)];
    if (samples.empty()) continue;
    append_head(text, entry);
    text += samples;
  }
  return text;
}

}  // namespace xdpflowd
