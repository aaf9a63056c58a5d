// SPDX-License-Identifier: GPL-2.0-or-later
// Every metric of xdpflowd: the only place with their names, types, labels and help texts.
#pragma once

#include <prometheus/metric_type.h>

#include <array>
#include <cstddef>
#include <string_view>

namespace xdpflowd {

enum class Metric {
  build_info,
  generation,
  heartbeat_age,
  interface_attached,
  packets,
  bytes,
  unparsed,
  untracked,
  flows,
  flows_counted,
  flows_capacity,
  flows_created,
  flows_promoted,
  flows_ended,
  flows_evicted,
  orphan_flows,
  timer_init_failures,
  timer_callbacks,
  timer_lateness,
  reap_delay,
  dataplane_errors,
  lost,
  unwritten_records,
};

struct MetricEntry {
  Metric id;
  std::string_view name;
  prometheus::MetricType type;
  std::array<std::string_view, 3> labels;  // "" ends the list
  std::string_view help;
};

namespace detail {
using enum prometheus::MetricType;
inline constexpr auto catalog = std::to_array<MetricEntry>({
    {Metric::build_info,
     "xdpflowd_build_info",
     Gauge,
     {"version", "kernel"},
     "Always 1; which xdpflowd runs on which kernel."},
    {Metric::generation,
     "xdpflowd_generation",
     Gauge,
     {},
     "Number of times the data plane was loaded into the pinned maps."},
    {Metric::heartbeat_age,
     "xdpflowd_daemon_heartbeat_age_seconds",
     Gauge,
     {},
     "Time since the daemon last wrote its heartbeat into the pinned maps."},
    {Metric::interface_attached,
     "xdpflowd_interface_attached",
     Gauge,
     {"interface", "mode"},
     "1 if the program is attached to the interface in this XDP mode, else 0."},
    {Metric::packets,
     "xdpflowd_packets_total",
     Counter,
     {"interface", "verdict"},
     "Packets received on the interface, by what became of them."},
    {Metric::bytes,
     "xdpflowd_bytes_total",
     Counter,
     {"interface"},
     "Bytes received on the interface, layer 3 (IP header included)."},
    {Metric::unparsed,
     "xdpflowd_unparsed_packets_total",
     Counter,
     {"interface", "reason"},
     "Packets that the parser passed on untouched, by reason."},
    {Metric::untracked,
     "xdpflowd_untracked_packets_total",
     Counter,
     {"interface", "reason"},
     "Packets that were counted on no flow, by reason."},
    {Metric::flows,
     "xdpflowd_flows",
     Gauge,
     {"zone", "table"},
     "Live flows by the books: created and moved in, less moved out, ended and evicted."},
    MetricEntry{
        Metric::flows_counted,
        "xdpflowd_flows_counted",
        Gauge,
        {"zone", "table"},
        "Elements in the table as the kernel counts them, flows that wait for their deletion included."},
    {Metric::flows_capacity,
     "xdpflowd_flows_capacity",
     Gauge,
     {"zone", "table"},
     "Flows for which the table has room."},
    MetricEntry{
        Metric::flows_created, "xdpflowd_flows_created_total", Counter, {"zone"}, "Flows that began."},
    {Metric::flows_promoted,
     "xdpflowd_flows_promoted_total",
     Counter,
     {"zone"},
     "Flows that moved from the half-open to the established table."},
    {Metric::flows_ended,
     "xdpflowd_flows_ended_total",
     Counter,
     {"zone", "table", "reason"},
     "Flows that ended, by the table they were in and by reason."},
    {Metric::flows_evicted,
     "xdpflowd_flows_evicted_total",
     Counter,
     {"zone", "table"},
     "Flows that a full table gave up for newer ones."},
    {Metric::orphan_flows,
     "xdpflowd_orphan_flows",
     Gauge,
     {"zone"},
     "Live flows without a timer of their own, which the reaper expires."},
    {Metric::timer_init_failures,
     "xdpflowd_timer_init_failures_total",
     Counter,
     {"reason"},
     "Times that the kernel refused to initialise a flow's timer, by reason."},
    {Metric::timer_callbacks,
     "xdpflowd_timer_callbacks_total",
     Counter,
     {"result"},
     "Runs of flow timers, by what they did."},
    {Metric::timer_lateness,
     "xdpflowd_timer_lateness_seconds",
     Histogram,
     {},
     "Time from a flow's deadline to its end."},
    {Metric::reap_delay,
     "xdpflowd_reap_delay_seconds",
     Histogram,
     {},
     "Time from a flow's end to the deletion of its entry."},
    {Metric::dataplane_errors,
     "xdpflowd_dataplane_errors_total",
     Counter,
     {"operation"},
     "Kernel helpers that failed in the data plane, by operation."},
    {Metric::lost,
     "xdpflowd_lost_total",
     Counter,
     {"kind"},
     "Records and events that found their ring buffer full."},
    {Metric::unwritten_records,
     "xdpflowd_unwritten_records_total",
     Counter,
     {},
     "Records of ended flows that did not reach the records file since the daemon started."},
});

constexpr bool in_order() {
  for (size_t i = 0; i < catalog.size(); ++i)
    if (static_cast<size_t>(catalog[i].id) != i) return false;
  return true;
}
static_assert(in_order(), "the catalog's entries stand in the order of enum Metric");
}  // namespace detail

inline constexpr const auto& metric_catalog = detail::catalog;

constexpr const MetricEntry& metric_entry(Metric metric) {
  return metric_catalog[static_cast<size_t>(metric)];
}

}  // namespace xdpflowd
