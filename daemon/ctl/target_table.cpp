// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/target_table.h"

#include <array>
#include <cmath>

#include "ctl/columns.h"
#include "ctl/units.h"
#include "flow/decode.h"

namespace xdpflowd {
namespace {

constexpr std::array<Column, 9> columns = {{
    {"NAME"},
    {"ADDRESS"},
    {"PROBE"},
    {"STATE"},
    {"SINCE", Column::right},
    {"RTT", Column::right, true},
    {"MIN/AVG/MAX", Column::right},
    {"LOSS", Column::right},
    {"ERROR", Column::left, true},
}};

constexpr const char* nothing = "-";

std::string address_text(const xf_addr& address) {
  std::string text;
  append_address(text, address);
  return text;
}

std::string loss_text(const Target& target) {
  const auto ratio = loss_ratio(target);
  return ratio ? std::to_string(std::lround(*ratio * 100)) + "%" : nothing;
}

std::string range_text(const RoundTrips& times) {
  return latency_text(times.min_ns) + "/" + latency_text(times.average_ns) + "/" + latency_text(times.max_ns);
}

Row row_of(const Target& target, const Look& look) {
  const auto age_ns = state_age_ns(target, look);
  const auto times = round_trips(target);
  const std::string error = error_text(target);
  return {
      std::string(name_of(target)),
      address_text(target.config.address),
      probe_text(target),
      state_text(target, look),
      age_ns ? duration_text(*age_ns) : nothing,
      times ? latency_text(times->last_ns) : nothing,
      times ? range_text(*times) : nothing,
      loss_text(target),
      error.empty() ? nothing : error,
  };
}

}  // namespace

void write_target_table(std::ostream& out, std::span<const Target> targets, const Look& look, size_t width) {
  ColumnLayout layout(columns);
  std::vector<Row> rows;
  rows.reserve(targets.size());
  for (const Target& target : targets) layout.measure(rows.emplace_back(row_of(target, look)));
  layout.break_lines(width);
  layout.write_header(out);
  for (const Row& row : rows) {
    if (!out) return;
    layout.write_row(out, row);
  }
}

}  // namespace xdpflowd
