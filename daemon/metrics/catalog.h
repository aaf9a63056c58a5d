// SPDX-License-Identifier: GPL-2.0-or-later
// Every metric of xdpflowd: the only place with their names, types, labels and help texts.
#pragma once

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
  target_up,
  target_stale,
  target_transitions,
  probes,
  probe_last_rtt,
  probe_rtt,
  probe_delay,
  verdict_lateness,
  hook_runs,
};

enum class MetricType { counter, gauge, histogram };

/// As the text format has it.
constexpr std::string_view metric_type_name(MetricType type) {
  return type == MetricType::counter ? "counter" : type == MetricType::gauge ? "gauge" : "histogram";
}

struct MetricEntry {
  Metric id;
  std::string_view name;
  MetricType type;
  std::array<std::string_view, 3> labels;  // "" ends the list
  std::string_view help;
};

namespace detail {
using enum MetricType;
inline constexpr auto catalog = std::to_array<MetricEntry>({
    {Metric::build_info,
     "xdpflowd_build_info",
     gauge,
     {"version", "kernel"},
     "Always 1; which xdpflowd runs on which kernel."},
    {Metric::generation,
     "xdpflowd_generation",
     gauge,
     {},
     "Number of times the data plane was loaded into the pinned maps."},
    {Metric::heartbeat_age,
     "xdpflowd_daemon_heartbeat_age_seconds",
     gauge,
     {},
     "Time since the daemon last wrote its heartbeat into the pinned maps."},
    {Metric::interface_attached,
     "xdpflowd_interface_attached",
     gauge,
     {"interface", "mode"},
     "1 if the program is attached to the interface in this XDP mode, else 0."},
    {Metric::packets,
     "xdpflowd_packets_total",
     counter,
     {"interface", "verdict"},
     "Packets received on the interface, by what became of them."},
    {Metric::bytes,
     "xdpflowd_bytes_total",
     counter,
     {"interface"},
     "Bytes received on the interface, layer 3 (IP header included)."},
    {Metric::unparsed,
     "xdpflowd_unparsed_packets_total",
     counter,
     {"interface", "reason"},
     "Packets that the parser passed on untouched, by reason."},
    {Metric::untracked,
     "xdpflowd_untracked_packets_total",
     counter,
     {"interface", "reason"},
     "Packets that were counted on no flow, by reason."},
    {Metric::flows,
     "xdpflowd_flows",
     gauge,
     {"zone", "table"},
     "Live flows by the books: created and moved in, less moved out, ended and evicted."},
    MetricEntry{
        Metric::flows_counted,
        "xdpflowd_flows_counted",
        gauge,
        {"zone", "table"},
        "Elements in the table as the kernel counts them, flows that wait for their deletion included."},
    {Metric::flows_capacity,
     "xdpflowd_flows_capacity",
     gauge,
     {"zone", "table"},
     "Flows for which the table has room."},
    MetricEntry{
        Metric::flows_created, "xdpflowd_flows_created_total", counter, {"zone"}, "Flows that began."},
    {Metric::flows_promoted,
     "xdpflowd_flows_promoted_total",
     counter,
     {"zone"},
     "Flows that moved from the half-open to the established table."},
    {Metric::flows_ended,
     "xdpflowd_flows_ended_total",
     counter,
     {"zone", "table", "reason"},
     "Flows that ended, by the table they were in and by reason."},
    {Metric::flows_evicted,
     "xdpflowd_flows_evicted_total",
     counter,
     {"zone", "table"},
     "Flows that a full table gave up for newer ones."},
    {Metric::orphan_flows,
     "xdpflowd_orphan_flows",
     gauge,
     {"zone"},
     "Live flows without a timer of their own, which the reaper expires."},
    {Metric::timer_init_failures,
     "xdpflowd_timer_init_failures_total",
     counter,
     {"reason"},
     "Times that the kernel refused to initialise a flow's timer, by reason."},
    {Metric::timer_callbacks,
     "xdpflowd_timer_callbacks_total",
     counter,
     {"result"},
     "Runs of flow timers, by what they did."},
    {Metric::timer_lateness,
     "xdpflowd_timer_lateness_seconds",
     histogram,
     {},
     "Time from a flow's deadline to its end."},
    {Metric::reap_delay,
     "xdpflowd_reap_delay_seconds",
     histogram,
     {},
     "Time from a flow's end to the deletion of its entry."},
    {Metric::dataplane_errors,
     "xdpflowd_dataplane_errors_total",
     counter,
     {"operation"},
     "Kernel helpers that failed in the data plane, by operation."},
    {Metric::lost,
     "xdpflowd_lost_total",
     counter,
     {"kind"},
     "Records and events that found their ring buffer full."},
    {Metric::unwritten_records,
     "xdpflowd_unwritten_records_total",
     counter,
     {},
     "Records of ended flows that did not reach the records file since the daemon started."},
    {Metric::target_up,
     "xdpflowd_target_up",
     gauge,
     {"target"},
     "1 if the target is up, 0 if it is down or nobody knows; an operator's word included."},
    {Metric::target_stale,
     "xdpflowd_target_stale",
     gauge,
     {"target"},
     "1 if no verdict on the target can be current, because its probes are not sent, else 0."},
    {Metric::target_transitions,
     "xdpflowd_target_transitions_total",
     counter,
     {"target", "to"},
     "Changes of the target's state, by what it became."},
    {Metric::probes,
     "xdpflowd_probes_total",
     counter,
     {"target", "result"},
     "Probes of the target, by what became of them."},
    {Metric::probe_last_rtt,
     "xdpflowd_probe_last_rtt_seconds",
     gauge,
     {"target"},
     "Round trip time of the last probe that was answered in time."},
    {Metric::probe_rtt,
     "xdpflowd_probe_rtt_seconds",
     histogram,
     {"target"},
     "Round trip times of probes: of all targets together, or of each where the configuration says so."},
    {Metric::probe_delay,
     "xdpflowd_probe_delay_seconds",
     histogram,
     {},
     "Time from when a probe was due to when it was built."},
    {Metric::verdict_lateness,
     "xdpflowd_target_verdict_lateness_seconds",
     histogram,
     {},
     "Time from the deadline that a probe missed to the verdict on it."},
    {Metric::hook_runs,
     "xdpflowd_hook_runs_total",
     counter,
     {"result"},
     "Runs of the on_change programs since the daemon started, by what became of them."},
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
