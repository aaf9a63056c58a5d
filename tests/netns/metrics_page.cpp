// SPDX-License-Identifier: GPL-2.0-or-later
#include "metrics_page.h"

#include <sstream>
#include <stdexcept>

namespace xdpflowd::test {
namespace {

bool only_rises(const std::string& sample) {
  const std::string name = sample.substr(0, sample.find('{'));
  return name.ends_with("_total") || name.ends_with("_bucket") || name.ends_with("_count") ||
         name.ends_with("_sum");
}

}  // namespace

MetricsPage MetricsPage::parse(const std::string& text) {
  MetricsPage page;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    const size_t space = line.rfind(' ');
    if (space == std::string::npos) throw std::runtime_error("not a sample: " + line);
    page.samples[line.substr(0, space)] = std::stod(line.substr(space + 1));
  }
  if (page.samples.empty()) throw std::runtime_error("no metrics: " + text);
  return page;
}

double MetricsPage::at(const std::string& sample) const {
  const auto found = samples.find(sample);
  if (found == samples.end()) throw std::runtime_error("no sample " + sample);
  return found->second;
}

double MetricsPage::sum(const std::string& name, const std::string& label) const {
  double total = 0;
  for (const auto& [sample, value] : samples) {
    const size_t labels = sample.find('{');
    if (sample.substr(0, labels) != name) continue;
    if (label.empty() || sample.find(label, labels) != std::string::npos) total += value;
  }
  return total;
}

double MetricsPage::imbalance() const {
  const std::string zone = "zone=\"default\"";
  return sum("xdpflowd_flows_created_total", zone) - sum("xdpflowd_flows", zone) -
         sum("xdpflowd_flows_ended_total", zone) - sum("xdpflowd_flows_evicted_total", zone);
}

std::string MetricsPage::fell_since(const MetricsPage& earlier) const {
  for (const auto& [sample, before] : earlier.samples) {
    if (!only_rises(sample)) continue;
    const auto now = samples.find(sample);
    if (now == samples.end()) return sample + " is gone";
    if (now->second < before)
      return sample + " fell from " + std::to_string(before) + " to " + std::to_string(now->second);
  }
  return "";
}

}  // namespace xdpflowd::test
