// SPDX-License-Identifier: GPL-2.0-or-later
#include "metrics/collector.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "flow/names.h"
#include "flow/target_view.h"
#include "metrics/page.h"

namespace xdpflowd {
namespace {

/// Calls visit(name, count) for each of the counts.
template <size_t Count, class Visit>
void for_each_count(const std::array<std::string_view, Count>& names, const __u64 (&counts)[Count],
                    Visit visit) {
  for (size_t i = 0; i < Count; ++i) visit(names[i], static_cast<double>(counts[i]));
}

void add_daemon(MetricsPage& page, const xf_control& control, const BuildInfo& build, uint64_t now_ns) {
  page.sample(Metric::build_info, {build.version, build.kernel}, 1);
  page.sample(Metric::generation, {}, control.generation);
  const auto age_ns =
      static_cast<int64_t>(now_ns - control.heartbeat_ns);  // the daemon may have written it since
  const bool ever = control.heartbeat_ns != 0;
  if (ever) page.sample(Metric::heartbeat_age, {}, static_cast<double>(std::max<int64_t>(age_ns, 0)) / 1e9);
}

void add_interface(MetricsPage& page, const InterfaceSnapshot& interface) {
  const std::string& name = interface.name;
  for (const xf_mode mode : {XF_MODE_NATIVE, XF_MODE_GENERIC})
    page.sample(Metric::interface_attached, {name, mode_names[mode]}, interface.mode == mode ? 1 : 0);
  for_each_count(verdict_names, interface.stats.packets, [&](std::string_view verdict, double packets) {
    page.sample(Metric::packets, {name, verdict}, packets);
  });
  page.sample(Metric::bytes, {name}, static_cast<double>(interface.stats.bytes));
  for_each_count(unparsed_names, interface.stats.unparsed, [&](std::string_view reason, double packets) {
    page.sample(Metric::unparsed, {name, reason}, packets);
  });
  for_each_count(untracked_names, interface.stats.untracked, [&](std::string_view reason, double packets) {
    page.sample(Metric::untracked, {name, reason}, packets);
  });
}

void add_table(MetricsPage& page, const ZoneSnapshot& zone, xf_table table) {
  const TableSnapshot& facts = zone.tables[table];
  const std::string_view name = table_names[table];
  page.sample(Metric::flows, {zone.name, name}, static_cast<double>(flows_by_the_books(zone, table)));
  if (facts.counted)
    page.sample(Metric::flows_counted, {zone.name, name}, static_cast<double>(*facts.counted));
  page.sample(Metric::flows_capacity, {zone.name, name}, static_cast<double>(facts.capacity));
  page.sample(Metric::flows_evicted, {zone.name, name}, static_cast<double>(facts.evicted));
  for_each_count(reason_names, zone.stats.ended[table], [&](std::string_view reason, double flows) {
    page.sample(Metric::flows_ended, {zone.name, name, reason}, flows);
  });
}

void add_zone(MetricsPage& page, const ZoneSnapshot& zone) {
  page.sample(Metric::flows_created, {zone.name}, static_cast<double>(zone.stats.created));
  page.sample(Metric::flows_promoted, {zone.name}, static_cast<double>(zone.stats.promoted));
  page.sample(Metric::orphan_flows, {zone.name}, static_cast<double>(orphans(zone)));
  for (const xf_table table : {XF_TABLE_HALF_OPEN, XF_TABLE_ESTABLISHED}) add_table(page, zone, table);
}

void add_global(MetricsPage& page, const xf_global_stats& stats) {
  const auto counter = [&page](Metric metric) {
    return [&page, metric](std::string_view label, double count) { page.sample(metric, {label}, count); };
  };
  for_each_count(timer_failure_names, stats.timer_failures, counter(Metric::timer_init_failures));
  for_each_count(callback_names, stats.callbacks, counter(Metric::timer_callbacks));
  for_each_count(lost_names, stats.lost, counter(Metric::lost));
  for_each_count(error_names, stats.errors, counter(Metric::dataplane_errors));
}

void add_target(MetricsPage& page, const Target& target, const Look& look) {
  const std::string_view name = name_of(target);
  page.sample(Metric::target_up, {name}, is_up(target) ? 1 : 0);
  page.sample(Metric::target_stale, {name}, is_stale(target, look) ? 1 : 0);
  for_each_count(health_names, target.state.transitions, [&](std::string_view to, double changes) {
    page.sample(Metric::target_transitions, {name, to}, changes);
  });
  for_each_count(result_names, target.state.results, [&](std::string_view result, double probes) {
    page.sample(Metric::probes, {name, result}, probes);
  });
  if (const auto times = round_trips(target))
    page.sample(Metric::probe_last_rtt, {name}, static_cast<double>(times->last_ns) / 1e9);
}

void add_targets(MetricsPage& page, const std::vector<const Target*>& targets, const Look& look) {
  const size_t count = targets.size();
  for (const auto metric : {Metric::target_up, Metric::target_stale, Metric::probe_last_rtt})
    page.expect(metric, count);
  page.expect(Metric::target_transitions, count * XF_HEALTHS);
  page.expect(Metric::probes, count * XF_RESULTS);
  for (const Target* target : targets) add_target(page, *target, look);
}

void add_hooks(MetricsPage& page, const HookRuns& hooks) {
  const auto add = [&](std::string_view result, uint64_t runs) {
    page.sample(Metric::hook_runs, {result}, static_cast<double>(runs));
  };
  add("ok", hooks.ok);
  add("failed", hooks.failed);
  add("timeout", hooks.timeout);
  add("not_started", hooks.not_started);
  add("superseded", hooks.superseded);
}

void add_histograms(MetricsPage& page, const Snapshot& snapshot, const DaemonFacts& facts) {
  constexpr std::pair<Metric, xf_histogram_index> histograms[] = {
      {Metric::timer_lateness, XF_HISTOGRAM_LATENESS},
      {Metric::reap_delay, XF_HISTOGRAM_REAP_DELAY},
      {Metric::probe_rtt, XF_HISTOGRAM_PROBE_RTT},
      {Metric::probe_delay, XF_HISTOGRAM_PROBE_DELAY},
      {Metric::verdict_lateness, XF_HISTOGRAM_VERDICT_LATENESS},
  };
  static_assert(std::size(histograms) == XF_HISTOGRAMS);
  for (const auto& [metric, index] : histograms)
    if (metric != Metric::probe_rtt || facts.target_rtts.empty())
      page.histogram(metric, {}, snapshot.histograms[index]);
  for (const Target* target : facts.targets)
    if (const auto found = facts.target_rtts.find(target->index); found != facts.target_rtts.end())
      page.histogram(Metric::probe_rtt, {name_of(*target)}, found->second);
}

}  // namespace

std::string metrics_text(const Snapshot& snapshot, const DaemonFacts& facts, const BuildInfo& build,
                         uint64_t now_ns) {
  MetricsPage page;
  add_daemon(page, snapshot.control, build, now_ns);
  for (const auto& interface : snapshot.interfaces) add_interface(page, interface);
  for (const auto& zone : snapshot.zones) add_zone(page, zone);
  add_global(page, snapshot.global);
  add_histograms(page, snapshot, facts);
  add_targets(page, facts.targets, {.now_ns = now_ns, .heartbeat_ns = snapshot.control.heartbeat_ns});
  if (facts.hooks) add_hooks(page, *facts.hooks);
  if (facts.unwritten_records)
    page.sample(Metric::unwritten_records, {}, static_cast<double>(*facts.unwritten_records));
  return page.text();
}

}  // namespace xdpflowd
