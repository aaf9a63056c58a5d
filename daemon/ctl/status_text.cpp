// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <array>
#include <numeric>

#include "ctl/columns.h"
#include "ctl/status.h"
#include "ctl/units.h"
#include "flow/names.h"
#include "flow/target_view.h"

namespace xdpflowd {
namespace {

constexpr std::array<Column, 7> interface_columns = {{
    {"INTERFACE"},
    {"MODE"},
    {"DISPATCHER"},
    {"ZONE"},
    {"PACKETS", Column::right},
    {"UNTRACKED", Column::right},
    {"BYTES", Column::right},
}};

constexpr std::array<Column, 8> zone_columns = {{
    {"ZONE"},
    {"ESTABLISHED", Column::right},
    {"HALF-OPEN", Column::right},
    {"ORPHANS", Column::right},
    {"CREATED", Column::right, true},
    {"PROMOTED", Column::right},
    {"ENDED", Column::right},
    {"EVICTED", Column::right},
}};

Row row_of(const InterfaceSnapshot& interface) {
  return {
      interface.name,
      std::string(name_in(mode_names, interface.mode)),
      interface.dispatcher ? "yes" : "no",
      interface.zone.empty() ? "-" : interface.zone,
      std::to_string(total_packets(interface)),
      std::to_string(interface.stats.packets[XF_VERDICT_UNTRACKED]),
      bytes_text(interface.stats.bytes),
  };
}

/// "12/65536": flows and room for them.
std::string filling(const ZoneSnapshot& zone, xf_table table) {
  return std::to_string(flows_by_the_books(zone, table)) + "/" + std::to_string(zone.tables[table].capacity);
}

uint64_t total_ended(const ZoneSnapshot& zone) {
  uint64_t total = 0;
  for (const auto& by_reason : zone.stats.ended)
    total = std::accumulate(std::begin(by_reason), std::end(by_reason), total);
  return total;
}

Row row_of(const ZoneSnapshot& zone) {
  return {
      zone.name,
      filling(zone, XF_TABLE_ESTABLISHED),
      filling(zone, XF_TABLE_HALF_OPEN),
      std::to_string(orphans(zone)),
      std::to_string(zone.stats.created),
      std::to_string(zone.stats.promoted),
      std::to_string(total_ended(zone)),
      std::to_string(zone.tables[XF_TABLE_HALF_OPEN].evicted + zone.tables[XF_TABLE_ESTABLISHED].evicted),
  };
}

template <class Entry>
void write_table(std::ostream& out, std::span<const Column> columns, const std::vector<Entry>& entries,
                 size_t width) {
  ColumnLayout layout(columns);
  for (const Entry& entry : entries) layout.measure(row_of(entry));
  layout.break_lines(width);
  layout.write_header(out);
  for (const Entry& entry : entries) layout.write_row(out, row_of(entry));
}

void write_daemon(std::ostream& out, const StatusReport& report) {
  const auto heartbeat_age_ns = report.heartbeat_age_ns();
  const bool stalled = report.daemon_stalled();
  out << "daemon: ";
  if (stalled)
    out << "stalled for " << duration_text(*heartbeat_age_ns);
  else
    out << (report.daemon.running ? "running" : "not running");
  if (report.daemon.running && report.daemon.pid) out << ", pid " << *report.daemon.pid;
  if (heartbeat_age_ns && !stalled) out << ", last heartbeat " << duration_text(*heartbeat_age_ns) << " ago";
  out << '\n';
  if (stalled || !report.daemon.running)
    out << "        flows are tracked and expire in the kernel without it\n";
}

void write_targets(std::ostream& out, const Snapshot& snapshot) {
  if (snapshot.targets.empty()) return;
  const HealthCounts counts = count_health(snapshot.targets);
  out << "targets: " << counts.up << " up, " << counts.down << " down, " << counts.unknown << " unknown\n";
}

/// What went wrong in the data plane, by name.
void write_errors(std::ostream& out, const xf_global_stats& stats) {
  bool first = true;
  for (size_t i = 0; i < error_names.size(); ++i) {
    if (stats.errors[i] == 0) continue;
    out << (first ? "errors: " : ", ") << stats.errors[i] << ' ' << error_names[i];
    first = false;
  }
  if (!first) out << '\n';
}

void write_changes(std::ostream& out, const StatusReport& report) {
  for (const auto& zone : report.snapshot.zones)
    for (const auto& [table, name] :
         {std::pair(XF_TABLE_HALF_OPEN, "half-open"), std::pair(XF_TABLE_ESTABLISHED, "established")})
      if (zone.tables[table].former > 0)
        out << "resize: " << zone.tables[table].former << " flows of zone " << zone.name
            << " are still in the former " << name << " table\n";
  if (report.upgrade)
    out << "upgrade: program " << report.upgrade->former_program << " of generation "
        << report.upgrade->former_generation << " is still loaded; " << report.upgrade->flows
        << " flows have its timers\n";
}

void write_notes(std::ostream& out, const StatusReport& report) {
  const Snapshot& snapshot = report.snapshot;
  if (std::ranges::find(snapshot.interfaces, XF_MODE_GENERIC, &InterfaceSnapshot::mode) !=
      snapshot.interfaces.end())
    out << "\nIn generic mode a packet is what GRO delivers, often many merged into one.\nBytes are exact.\n";
  if (std::ranges::any_of(snapshot.zones, [](const auto& zone) { return orphans(zone) > 0; }))
    out << "\nOrphans have no timer: the half-open table was full when they began, or the\n"
           "kernel had no memory. They expire in turns, a bit late.\n";
  if (snapshot.control.generation == 0)
    out << "\nNo interface was attached so far; the data plane begins with the first one.\n";
  else if (report.data_plane_version() != report.version)
    out << "\nThe programs in the kernel were loaded by version " << report.data_plane_version() << ".\n";
}

}  // namespace

void write_status_text(std::ostream& out, const StatusReport& report, size_t width) {
  const Snapshot& snapshot = report.snapshot;
  out << "xdpflowd " << report.version << ", kernel " << report.kernel << ", data plane generation "
      << snapshot.control.generation << '\n';
  write_daemon(out, report);
  out << "lost:   " << snapshot.global.lost[XF_LOST_RECORD] << " records, "
      << snapshot.global.lost[XF_LOST_EVENT] << " events\n";
  write_targets(out, snapshot);
  write_errors(out, snapshot.global);
  write_changes(out, report);
  out << '\n';
  write_table(out, interface_columns, snapshot.interfaces, width);
  out << '\n';
  write_table(out, zone_columns, snapshot.zones, width);
  write_notes(out, report);
}

}  // namespace xdpflowd
