// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/flow_table_text.h"

#include <array>
#include <string>

#include "ctl/columns.h"
#include "ctl/units.h"
#include "flow/names.h"

namespace xdpflowd {
namespace {

constexpr std::array<Column, 12> columns = {{
    {"ZONE"},
    {"PROTO"},
    {"SOURCE"},
    {"DESTINATION"},
    {"STATE"},
    {"DIR", Column::left, true},
    {"PACKETS", Column::right},
    {"BYTES", Column::right},
    {"AGE", Column::right},
    {"IDLE", Column::right},
    {"EXPIRES", Column::right},
    {"TIMER"},
}};

/// "192.0.2.1:80", "[2001:db8::1]:80"; without a port the bare address.
std::string endpoint_text(const xf_addr& address, uint16_t port) {
  std::string text;
  const bool brackets = port != 0 && !is_ipv4(address);
  if (brackets) text += '[';
  append_address(text, address);
  if (brackets) text += ']';
  if (port != 0) text += ':' + std::to_string(port);
  return text;
}

Row row_of(const Flow& flow) {
  return {
      std::string(flow.zone),
      protocol_name(flow.protocol),
      endpoint_text(flow.source, flow.source_port),
      endpoint_text(flow.destination, flow.destination_port),
      std::string(flow.state_name()),
      std::string(flow.direction_name()),
      std::to_string(flow.forward.packets) + "/" + std::to_string(flow.reverse.packets),
      bytes_text(flow.forward.bytes) + "/" + bytes_text(flow.reverse.bytes),
      duration_text(flow.age_ns),
      duration_text(flow.idle_ns),
      duration_text(flow.expires_in_ns),
      std::string(flow.timer_name()),
  };
}

}  // namespace

// Rows are made twice, once for their widths: a million of them would not fit in memory as well as the flows
// do.
void write_flow_table(std::ostream& out, std::span<const Flow> flows, size_t width) {
  ColumnLayout layout(columns);
  for (const Flow& flow : flows) layout.measure(row_of(flow));
  layout.break_lines(width);
  layout.write_header(out);
  for (const Flow& flow : flows) {
    if (!out) return;
    layout.write_row(out, row_of(flow));
  }
}

}  // namespace xdpflowd
