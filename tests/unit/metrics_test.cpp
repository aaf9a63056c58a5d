// SPDX-License-Identifier: GPL-2.0-or-later
// XDPFLOWD_PROMTOOL is the path of Prometheus' promtool, XDPFLOWD_CONFIG_DIR that of config/.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "base/unique_fd.h"
#include "metrics/catalog.h"
#include "metrics/collector.h"
#include "metrics/page.h"
#include "unit/targets.h"

namespace xdpflowd {
namespace {

using testing::ElementsAreArray;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr uint64_t now_ns = test::target_now_ns;
const BuildInfo build{"0.1.0", "6.12.1-amd64"};

/// Every counter has a number of its own, so that none can pass for another.
template <class Counters>
Counters numbered(uint64_t first) {
  static_assert(sizeof(Counters) % sizeof(uint64_t) == 0);
  Counters counters{};
  auto* number = reinterpret_cast<__u64*>(&counters);
  for (size_t i = 0; i < sizeof(Counters) / sizeof(uint64_t); ++i) number[i] = first + i;
  return counters;
}

TableSnapshot table_of(uint64_t capacity, uint64_t evicted, uint64_t counted) {
  TableSnapshot table;
  table.capacity = capacity;
  table.evicted = evicted;
  table.counted = counted;
  return table;
}

ZoneSnapshot filled_zone() {
  ZoneSnapshot zone;
  zone.name = "default";
  zone.stats.created = 1000;
  zone.stats.promoted = 400;
  for (int reason = 0; reason < XF_REASONS; ++reason) {
    zone.stats.ended[XF_TABLE_HALF_OPEN][reason] = 10 + reason;
    zone.stats.ended[XF_TABLE_ESTABLISHED][reason] = 20 + reason;
  }
  zone.stats.orphaned = 9;
  zone.stats.adopted = 4;
  zone.tables = {table_of(131'072, 7, 535), table_of(1'000'000, 3, 290)};
  return zone;
}

InterfaceSnapshot filled_interface() {
  InterfaceSnapshot interface;
  interface.name = "wan0";
  interface.mode = XF_MODE_NATIVE;
  interface.stats = numbered<xf_interface_stats>(2000);
  return interface;
}

Snapshot filled_snapshot() {
  Snapshot snapshot;
  snapshot.control.generation = 3;
  snapshot.control.heartbeat_ns = now_ns - 1'500'000'000;
  snapshot.zones.push_back(filled_zone());
  snapshot.interfaces.push_back(filled_interface());
  snapshot.global = numbered<xf_global_stats>(3000);
  for (auto& histogram : snapshot.histograms) histogram = numbered<xf_histogram>(1);
  snapshot.targets = {test::up_target(), test::down_target()};
  return snapshot;
}

constexpr HookRuns hook_runs{.ok = 91, .failed = 92, .timeout = 93, .not_started = 94, .superseded = 95};

/// As the daemon has them that read `snapshot`.
DaemonFacts facts_of(const Snapshot& snapshot) {
  DaemonFacts facts;
  for (const Target& target : snapshot.targets) facts.targets.push_back(&target);
  return facts;
}

std::string text_of(const Snapshot& snapshot, const TargetHistograms& target_rtts = {}) {
  DaemonFacts facts = facts_of(snapshot);
  facts.target_rtts = target_rtts;
  facts.unwritten_records = 0;
  facts.hooks = hook_runs;
  return metrics_text(snapshot, facts, build, now_ns);
}

/// The value of the sample that begins with `series`.
double value_of(const std::string& text, const std::string& series) {
  const size_t at = text.find("\n" + series + " ");
  if (at == std::string::npos) ADD_FAILURE() << "no sample " << series;
  return at == std::string::npos ? 0 : std::stod(text.substr(at + series.size() + 2));
}

std::set<std::string> names_in_catalog() {
  std::set<std::string> names;
  for (const auto& entry : metric_catalog) names.emplace(entry.name);
  return names;
}

/// Names of all samples, each with the names of its labels.
std::vector<std::pair<std::string, std::vector<std::string>>> samples_in(const std::string& text) {
  static const std::regex sample(R"(([a-z_]+)(\{.*\})? \S+)"), label(R"(([a-z_]+)="[^"]*")");
  std::vector<std::pair<std::string, std::vector<std::string>>> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::smatch parts;
    if (!std::regex_match(line, parts, sample)) ADD_FAILURE() << "no sample: " << line;
    auto& [name, labels] = found.emplace_back(parts.str(1), std::vector<std::string>());
    const std::string all = parts.str(2);
    for (std::sregex_iterator at(all.begin(), all.end(), label), end; at != end; ++at)
      labels.push_back(at->str(1));
  }
  return found;
}

/// The metric that a sample, maybe of a histogram, belongs to.
std::string family_of(const std::string& sample) {
  return std::regex_replace(sample, std::regex("_(bucket|sum|count)$"), "");
}

const MetricEntry& entry_of(const std::string& name) {
  return *std::ranges::find(metric_catalog, name, &MetricEntry::name);
}

struct CommandOutcome {
  int exit_code = -1;
  std::string output;
};

CommandOutcome run(const std::string& command) {
  CommandOutcome outcome;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  std::array<char, 4096> buffer{};
  while (size_t got = fread(buffer.data(), 1, buffer.size(), pipe)) outcome.output.append(buffer.data(), got);
  const int status = pclose(pipe);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

/// A file that is gone at the end of the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& content) : fd_(mkstemp(path_.data())) {
    std::ofstream(path_) << content;
  }
  ~TemporaryFile() { unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = testing::TempDir() + "xdpflowd-metrics-XXXXXX";
  UniqueFd fd_;
};

TEST(Metrics, ThoseOfTheCatalogAndNoOthersAreCollected) {
  std::set<std::string> collected;
  for (const auto& [name, labels] : samples_in(text_of(filled_snapshot()))) collected.insert(family_of(name));
  EXPECT_EQ(collected, names_in_catalog());
}

TEST(Metrics, RoundTripsAreOfAllTargetsUnlessThoseOfEachAreWanted) {
  auto snapshot = filled_snapshot();
  EXPECT_THAT(text_of(snapshot), HasSubstr("xdpflowd_probe_rtt_seconds_count "));
  TargetHistograms rtts;
  rtts[snapshot.targets.at(0).index].bucket[3] = 2;
  const std::string name = snapshot.targets[0].config.name;
  EXPECT_THAT(text_of(snapshot, rtts),
              HasSubstr("xdpflowd_probe_rtt_seconds_count{target=\"" + name + "\"} 2"));
  EXPECT_THAT(text_of(snapshot, rtts), Not(HasSubstr("xdpflowd_probe_rtt_seconds_count ")));
}

TEST(Metrics, EachSampleHasTheLabelsOfTheCatalog) {
  auto snapshot = filled_snapshot();
  TargetHistograms rtts;
  for (const auto& target : snapshot.targets) rtts[target.index] = {};
  for (const auto& [name, labels] : samples_in(text_of(snapshot, rtts))) {
    std::vector<std::string_view> expected;
    for (const std::string_view label : entry_of(family_of(name)).labels)
      if (!label.empty()) expected.push_back(label);
    if (name.ends_with("_bucket")) expected.emplace_back("le");
    EXPECT_THAT(labels, ElementsAreArray(expected)) << name;
  }
}

TEST(Metrics, TheBucketsOfEachTargetAreItsOwn) {
  auto snapshot = filled_snapshot();
  TargetHistograms rtts;
  for (const auto& target : snapshot.targets) rtts[target.index].bucket[0] = 1 + target.index;
  const std::string text = text_of(snapshot, rtts);
  for (const auto& target : snapshot.targets)
    EXPECT_EQ(value_of(text, std::string("xdpflowd_probe_rtt_seconds_bucket{target=\"") + target.config.name +
                                 "\",le=\"1e-06\"}"),
              1 + target.index);
}

TEST(Metrics, PromtoolFindsNothingToCriticise) {
  const auto snapshot = filled_snapshot();
  TargetHistograms rtts;
  for (const auto& target : snapshot.targets) rtts[target.index] = numbered<xf_histogram>(1);
  for (const auto& each : {TargetHistograms(), rtts}) {
    const TemporaryFile text(text_of(snapshot, each));
    const auto outcome = run(XDPFLOWD_PROMTOOL " check metrics < " + text.path());
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_THAT(outcome.output, IsEmpty());
  }
}

TEST(Metrics, EveryCounterIsUnderItsOwnName) {
  const std::string text = text_of(filled_snapshot());
  const std::vector<std::pair<std::string, double>> expected{
      {R"(xdpflowd_build_info{version="0.1.0",kernel="6.12.1-amd64"})", 1},
      {"xdpflowd_generation", 3},
      {"xdpflowd_daemon_heartbeat_age_seconds", 1.5},
      {R"(xdpflowd_packets_total{interface="wan0",verdict="tracked"})", 2000},
      {R"(xdpflowd_packets_total{interface="wan0",verdict="untracked"})", 2002},
      {R"(xdpflowd_bytes_total{interface="wan0"})", 2003},
      {R"(xdpflowd_unparsed_packets_total{interface="wan0",reason="arp"})", 2004},
      {R"(xdpflowd_unparsed_packets_total{interface="wan0",reason="extensions"})", 2011},
      {R"(xdpflowd_untracked_packets_total{interface="wan0",reason="unparsed"})", 2012},
      {R"(xdpflowd_untracked_packets_total{interface="wan0",reason="inactive"})", 2017},
      {R"(xdpflowd_flows_created_total{zone="default"})", 1000},
      {R"(xdpflowd_flows_promoted_total{zone="default"})", 400},
      {R"(xdpflowd_flows_counted{zone="default",table="half_open"})", 535},
      {R"(xdpflowd_flows_capacity{zone="default",table="established"})", 1'000'000},
      {R"(xdpflowd_flows_evicted_total{zone="default",table="established"})", 3},
      {R"(xdpflowd_flows_ended_total{zone="default",table="half_open",reason="idle"})", 10},
      {R"(xdpflowd_flows_ended_total{zone="default",table="established",reason="flushed"})", 24},
      {R"(xdpflowd_orphan_flows{zone="default"})", 5},
      {R"(xdpflowd_timer_init_failures_total{reason="nomem"})", 3000},
      {R"(xdpflowd_timer_callbacks_total{result="ended"})", 3005},
      {R"(xdpflowd_lost_total{kind="record"})", 3006},
      {R"(xdpflowd_dataplane_errors_total{operation="insert_nomem"})", 3008},
      {R"(xdpflowd_dataplane_errors_total{operation="no_interface"})", 3017},
      {R"(xdpflowd_target_up{target="gw-a"})", 1},
      {R"(xdpflowd_target_up{target="web-1"})", 0},
      {R"(xdpflowd_target_transitions_total{target="gw-a",to="up"})", 1},
      {R"(xdpflowd_target_transitions_total{target="gw-a",to="down"})", 0},
      {R"(xdpflowd_target_transitions_total{target="web-1",to="down"})", 1},
      {R"(xdpflowd_target_transitions_total{target="web-1",to="unknown"})", 0},
      {R"(xdpflowd_probes_total{target="gw-a",result="ok"})", 300},
      {R"(xdpflowd_probes_total{target="web-1",result="timeout"})", 3},
      {R"(xdpflowd_probe_last_rtt_seconds{target="web-1"})", 0.000412},
      {R"(xdpflowd_hook_runs_total{result="ok"})", 91},
      {R"(xdpflowd_hook_runs_total{result="failed"})", 92},
      {R"(xdpflowd_hook_runs_total{result="timeout"})", 93},
      {R"(xdpflowd_hook_runs_total{result="not_started"})", 94},
      {R"(xdpflowd_hook_runs_total{result="superseded"})", 95},
  };
  for (const auto& [series, value] : expected) EXPECT_EQ(value_of(text, series), value) << series;
}

TEST(Metrics, TheBooksOfAZoneAddUp) {
  const std::string text = text_of(filled_snapshot());
  double accounted = 0;
  for (const std::string table : {"half_open", "established"}) {
    const std::string labels = R"({zone="default",table=")" + table + "\"";
    accounted += value_of(text, "xdpflowd_flows" + labels + "}");
    accounted += value_of(text, "xdpflowd_flows_evicted_total" + labels + "}");
    for (const std::string reason : {"idle", "closed", "reset", "replaced", "flushed"})
      accounted += value_of(text, "xdpflowd_flows_ended_total" + labels + ",reason=\"" + reason + "\"}");
  }
  EXPECT_EQ(accounted, value_of(text, R"(xdpflowd_flows_created_total{zone="default"})"));
}

TEST(Metrics, ATableThatTheKernelDidNotCountHasNoCount) {
  Snapshot snapshot = filled_snapshot();
  snapshot.zones[0].tables[XF_TABLE_HALF_OPEN].counted.reset();
  const std::string text = text_of(snapshot);
  EXPECT_THAT(text, Not(HasSubstr(R"(xdpflowd_flows_counted{zone="default",table="half_open"})")));
  EXPECT_THAT(text, HasSubstr(R"(xdpflowd_flows_counted{zone="default",table="established"})"));
}

TEST(Metrics, OrphansAreNeverNegative) {
  Snapshot snapshot = filled_snapshot();
  snapshot.zones[0].stats.adopted = snapshot.zones[0].stats.orphaned + 1;
  EXPECT_EQ(value_of(text_of(snapshot), R"(xdpflowd_orphan_flows{zone="default"})"), 0);
}

TEST(Metrics, AHeartbeatYoungerThanTheScrapeIsZeroSecondsOld) {
  Snapshot snapshot = filled_snapshot();
  snapshot.control.heartbeat_ns = now_ns + 1;
  EXPECT_EQ(value_of(text_of(snapshot), "xdpflowd_daemon_heartbeat_age_seconds"), 0);
}

TEST(Metrics, AHeartbeatThatNeverWasHasNoAge) {
  Snapshot snapshot = filled_snapshot();
  snapshot.control.heartbeat_ns = 0;
  EXPECT_THAT(text_of(snapshot), Not(HasSubstr("heartbeat")));
}

TEST(Metrics, AnInterfaceIsAttachedInItsOwnModeOnly) {
  Snapshot snapshot = filled_snapshot();
  for (const auto& [mode, native, generic] :
       {std::tuple{XF_MODE_DETACHED, 0, 0}, {XF_MODE_NATIVE, 1, 0}, {XF_MODE_GENERIC, 0, 1}}) {
    snapshot.interfaces[0].mode = mode;
    const std::string text = text_of(snapshot);
    EXPECT_EQ(value_of(text, R"(xdpflowd_interface_attached{interface="wan0",mode="native"})"), native);
    EXPECT_EQ(value_of(text, R"(xdpflowd_interface_attached{interface="wan0",mode="generic"})"), generic);
  }
}

TEST(Metrics, WithoutARecordsFileThereAreNoUnwrittenRecords) {
  DaemonFacts facts;
  EXPECT_THAT(metrics_text(filled_snapshot(), facts, build, now_ns), Not(HasSubstr("unwritten")));
  facts.unwritten_records = 12;
  EXPECT_EQ(
      value_of(metrics_text(filled_snapshot(), facts, build, now_ns), "xdpflowd_unwritten_records_total"),
      12);
}

TEST(Metrics, HistogramBucketsAddUpFromAMicrosecondToInfinity) {
  Snapshot snapshot = filled_snapshot();
  auto& lateness = snapshot.histograms[XF_HISTOGRAM_LATENESS];
  lateness = {};
  lateness.bucket[0] = 5;
  lateness.bucket[10] = 3;
  lateness.bucket[XF_HISTOGRAM_BUCKETS - 1] = 2;
  lateness.sum_ns = 2'500'000'000;
  const std::string text = text_of(snapshot);
  const auto bucket = [&](const std::string& le) {
    return value_of(text, "xdpflowd_timer_lateness_seconds_bucket{le=\"" + le + "\"}");
  };
  EXPECT_EQ(bucket("1e-06"), 5);
  EXPECT_EQ(bucket("0.000512"), 5);
  EXPECT_EQ(bucket("0.001024"), 8);
  EXPECT_EQ(bucket("1073.741824"), 8);
  EXPECT_EQ(bucket("+Inf"), 10);
  EXPECT_EQ(value_of(text, "xdpflowd_timer_lateness_seconds_count"), 10);
  EXPECT_EQ(value_of(text, "xdpflowd_timer_lateness_seconds_sum"), 2.5);
}

TEST(Metrics, TheHistogramsAreNotMixedUp) {
  Snapshot snapshot = filled_snapshot();
  const std::pair<xf_histogram_index, const char*> histograms[] = {
      {XF_HISTOGRAM_LATENESS, "xdpflowd_timer_lateness_seconds"},
      {XF_HISTOGRAM_REAP_DELAY, "xdpflowd_reap_delay_seconds"},
      {XF_HISTOGRAM_PROBE_RTT, "xdpflowd_probe_rtt_seconds"},
      {XF_HISTOGRAM_PROBE_DELAY, "xdpflowd_probe_delay_seconds"},
      {XF_HISTOGRAM_VERDICT_LATENESS, "xdpflowd_target_verdict_lateness_seconds"},
  };
  for (const auto& [index, name] : histograms)
    snapshot.histograms[index].sum_ns = (1 + index) * uint64_t{1'000'000'000};
  const std::string text = text_of(snapshot);
  for (const auto& [index, name] : histograms)
    EXPECT_EQ(value_of(text, std::string(name) + "_sum"), 1 + index) << name;
}

TEST(Metrics, ATargetIsUpAsItIsShown) {
  Snapshot snapshot = filled_snapshot();
  snapshot.targets[0].state.forced = XF_HEALTH_DOWN;
  snapshot.targets[1].state.forced = XF_HEALTH_UP;
  const std::string text = text_of(snapshot);
  EXPECT_EQ(value_of(text, R"(xdpflowd_target_up{target="gw-a"})"), 0);
  EXPECT_EQ(value_of(text, R"(xdpflowd_target_up{target="web-1"})"), 1);
}

TEST(Metrics, ATargetThatNobodyProbesIsStale) {
  Snapshot snapshot = filled_snapshot();
  snapshot.targets[1].state.judged_ns = now_ns - 60 * test::second_ns;
  const std::string text = text_of(snapshot);
  EXPECT_EQ(value_of(text, R"(xdpflowd_target_stale{target="gw-a"})"), 0);
  EXPECT_EQ(value_of(text, R"(xdpflowd_target_stale{target="web-1"})"), 1);
}

TEST(Metrics, ARoundTripTimeIsMissingUntilTheFirstReply) {
  Snapshot snapshot = filled_snapshot();
  snapshot.targets = {test::new_target()};
  const std::string text = text_of(snapshot);
  EXPECT_THAT(text, Not(HasSubstr("xdpflowd_probe_last_rtt_seconds")));
  EXPECT_EQ(value_of(text, R"(xdpflowd_target_up{target="gw-a"})"), 0);
}

TEST(Metrics, WithoutProgramsToRunNoneAreCounted) {
  EXPECT_THAT(metrics_text(filled_snapshot(), {}, build, now_ns), Not(HasSubstr("hook_runs")));
}

TEST(Metrics, LabelsAreEscaped) {
  MetricsPage page;
  page.sample(Metric::target_up, {"a\\b\"c\nd"}, 1);
  EXPECT_THAT(page.text(), EndsWith("\nxdpflowd_target_up{target=\"a\\\\b\\\"c\\nd\"} 1\n"));
}

TEST(Metrics, EachHasItsHelpAndItsType) {
  MetricsPage page;
  page.sample(Metric::generation, {}, 1);
  EXPECT_EQ(page.text(),
            "# HELP xdpflowd_generation Number of times the data plane was loaded into the pinned maps.\n"
            "# TYPE xdpflowd_generation gauge\n"
            "xdpflowd_generation 1\n");
}

TEST(Metrics, ValuesAreExact) {
  const std::pair<double, const char*> values[] = {
      {0, "0"},          {-3, "-3"},   {1e15, "1000000000000000"}, {0.1, "0.1"},
      {1e300, "1e+300"}, {NAN, "NaN"}, {HUGE_VAL, "+Inf"},         {-HUGE_VAL, "-Inf"},
  };
  for (const auto& [value, text] : values) {
    MetricsPage page;
    page.sample(Metric::generation, {}, value);
    EXPECT_THAT(page.text(), EndsWith(std::string("\nxdpflowd_generation ") + text + "\n"));
  }
}

TEST(Metrics, TenThousandTargetsDoNotHoldUpTheEventLoop) {
  Snapshot snapshot = filled_snapshot();
  snapshot.targets.assign(10'000, test::up_target());
  for (size_t i = 0; i < snapshot.targets.size(); ++i)
    test::rename(snapshot.targets[i], "backend-" + std::to_string(i));
  const auto began = std::chrono::steady_clock::now();
  const std::string text = text_of(snapshot);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
  RecordProperty("milliseconds", std::to_string(took.count()));
  EXPECT_LT(took.count(), 20'000);
  EXPECT_EQ(value_of(text, R"(xdpflowd_target_up{target="backend-9999"})"), 1);
}

TEST(PrometheusRules, PromtoolAcceptsThem) {
  const auto outcome =
      run(XDPFLOWD_PROMTOOL " check rules --lint-fatal " XDPFLOWD_CONFIG_DIR "/prometheus-rules.yml");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
}

TEST(PrometheusRules, AskOnlyForMetricsOfTheCatalog) {
  std::ifstream file(XDPFLOWD_CONFIG_DIR "/prometheus-rules.yml");
  std::stringstream rules;
  rules << file.rdbuf();
  const std::string text = rules.str();
  const std::set<std::string> known = names_in_catalog();
  const std::regex metric("xdpflowd_[a-z_]+");
  std::set<std::string> used;
  for (std::sregex_iterator at(text.begin(), text.end(), metric), end; at != end; ++at)
    used.insert(family_of(at->str()));
  EXPECT_THAT(used, Not(IsEmpty()));
  EXPECT_THAT(known, testing::IsSupersetOf(used));
}

}  // namespace
}  // namespace xdpflowd
