// SPDX-License-Identifier: GPL-2.0-or-later
// Prometheus' text format, version 0.0.4.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "metrics/collector.h"

namespace xdpflowd {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

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

void append_labels(std::string& out, const ClientMetric& metric) {
  char before = '{';
  for (const auto& label : metric.label) {
    out += before;
    out += label.name;
    out += "=\"";
    append_escaped(out, label.value, true);
    out += '"';
    before = ',';
  }
  if (before == ',') out += '}';
}

void append_sample(std::string& out, const MetricFamily& family, std::string_view suffix,
                   const ClientMetric& metric, double value) {
  out += family.name;
  out += suffix;
  append_labels(out, metric);
  out += ' ';
  append_value(out, value);
  out += '\n';
}

void append_bucket(std::string& out, const MetricFamily& family, const ClientMetric::Bucket& bucket) {
  out += family.name;
  out += "_bucket{le=\"";
  append_value(out, bucket.upper_bound);
  out += "\"} ";
  append_value(out, static_cast<double>(bucket.cumulative_count));
  out += '\n';
}

/// None of ours has labels.
void append_histogram(std::string& out, const MetricFamily& family, const ClientMetric& metric) {
  append_sample(out, family, "_count", metric, static_cast<double>(metric.histogram.sample_count));
  append_sample(out, family, "_sum", metric, metric.histogram.sample_sum);
  for (const auto& bucket : metric.histogram.bucket) append_bucket(out, family, bucket);
}

void append_family(std::string& out, const MetricFamily& family, std::string_view type) {
  out += "# HELP " + family.name + ' ';
  append_escaped(out, family.help, false);
  out += "\n# TYPE " + family.name + ' ';
  out += type;
  out += '\n';
}

}  // namespace

std::string metrics_text(const std::vector<MetricFamily>& families) {
  constexpr size_t labels_and_value = 48;
  size_t expected = 0;
  for (const MetricFamily& family : families)
    expected += family.metric.size() * (family.name.size() + labels_and_value);
  std::string text;
  text.reserve(expected);
  for (const MetricFamily& family : families) {
    const bool counts = family.type == MetricType::Counter;
    const bool is_histogram = family.type == MetricType::Histogram;
    append_family(text, family, is_histogram ? "histogram" : counts ? "counter" : "gauge");
    for (const ClientMetric& metric : family.metric) {
      if (is_histogram)
        append_histogram(text, family, metric);
      else
        append_sample(text, family, "", metric, counts ? metric.counter.value : metric.gauge.value);
    }
  }
  return text;
}

}  // namespace xdpflowd
