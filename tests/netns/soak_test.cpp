// SPDX-License-Identifier: GPL-2.0-or-later
// Mixed traffic, and all that operators, packages and cables do to a router, in random order: tests/soak. For
// XDPFLOWD_SOAK_MINUTES, one by default.
#include <gmock/gmock.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <random>

#include "daemon_lab.h"
#include "kernel_objects.h"
#include "mixed_traffic.h"
#include "sockets.h"

namespace xdpflowd::test {
namespace {

using Clock = std::chrono::steady_clock;

unsigned number_from(const char* variable, unsigned otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::stoul(text));
}

class Soak : public DaemonLab {
 protected:
  static constexpr size_t sessions_each = 5;
  static constexpr uint16_t session_port = 8080;
  static constexpr size_t slab_growth_max =
      48 * 1024;  // KiB: what sockets and the lab's own devices leave for a while

  Soak() {
    for (const char* device : {"lan0", "wan0"})
      lab.router.set(std::string("ipv6/conf/") + device + "/keep_addr_on_down", "1");
    std::printf("XDPFLOWD_TEST_SEED=%u\n", seed_);
  }

  // ---- what happens to the daemon and the router ----

  /// Told by the log when it is applied; no whole number of seconds, so it is written there as here.
  std::string generic_timeout() const { return std::to_string(1'000'001 + 2 * configs_) + "ms"; }

  /// Tables that hold all there is, and timeouts of which none is long.
  DaemonConfig another_config() {
    ++configs_;
    std::string rest = "[timeouts]\ngeneric = \"" + generic_timeout() + "\"\ntcp_established = \"25s\"\n";
    for (const char* name : {"udp", "udp_stream", "icmp", "tcp_syn_sent", "tcp_fin_wait", "tcp_close_wait",
                             "tcp_last_ack", "tcp_time_wait", "tcp_close"})
      rest += name + (" = \"" + std::to_string(1 + random_() % 5)) + "s\"\n";
    rest += "[zone.default]\n";
    for (const char* name : {"max_flows", "max_half_open"})
      rest += name + (" = " + std::to_string(100'000 + random_() % 8 * 25'000)) + "\n";
    return {.rest = rest};
  }

  void start() {
    daemon_.emplace(start_daemon(config_));
    descriptors_ = open_descriptors(daemon_->pid());
  }

  void kill_and_start() {
    kill_daemon(*daemon_);
    if (random_() % 2 == 0) config_ = another_config();
    start();
  }

  void restart() {
    EXPECT_TRUE(has_no_more_descriptors());
    EXPECT_EQ(stop_daemon(*daemon_), 0);
    start();
  }

  void reload() {
    config_ = another_config();
    write_config(config_);
    daemon_->signal(SIGHUP);
    EXPECT_TRUE(daemon_->wait_for_output("-> " + generic_timeout(), patience))
        << daemon_->err() << daemon_->out();
  }

  void flush() {
    must_ctl({"flush", "--protocol", "udp"});
    must_ctl({"flush", "--port", std::to_string(MixedTraffic::web)});
  }

  void flap() {
    const std::string device = random_() % 2 == 0 ? "lan0" : "wan0";
    lab.router.ip("link set " + device + " down\nlink set " + device + " up");
  }

  /// As logrotate does it.
  void rotate_records() {
    const auto now = folder.file("records.jsonl"), moved = folder.file("records.jsonl.1");
    std::filesystem::rename(now, moved);
    daemon_->signal(SIGUSR1);
    EXPECT_TRUE(eventually(patience, [&] { return std::filesystem::exists(now); }));
    count_records(moved);
  }

  void count_records(const std::string& path) {
    const std::string text = read_file(path);
    records_ += static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
    std::filesystem::remove(path);
  }

  std::string disturb() {
    static const std::vector<std::pair<std::string, void (Soak::*)()>> all{
        {"kill", &Soak::kill_and_start}, {"restart", &Soak::restart},       {"reload", &Soak::reload},
        {"flush", &Soak::flush},         {"rotate", &Soak::rotate_records}, {"flap", &Soak::flap}};
    const auto& [name, happens] = all[random_() % all.size()];
    (this->*happens)();
    ++happened_[name];
    return name;
  }

  // ---- what must hold ----

  void open_sessions() {
    for (const char* address : {Lab::server4, Lab::server6})
      for (auto& session : open_tcp(lab, address, session_port, sessions_each))
        sessions_.push_back(std::move(session));
  }

  void talk() const {
    for (const auto& session : sessions_) {
      session.send_up(1000);
      session.send_down(1000);
    }
  }

  bool pings_go_through() const {
    return eventually(patience, [&] {
      return lab.client.run({"ping", "-n", "-q", "-c", "1", "-W", "1", Lab::server4}).status == 0 &&
             lab.client.run({"ping", "-n", "-q", "-c", "1", "-W", "1", Lab::server6}).status == 0;
    });
  }

  bool has_no_more_descriptors() {
    return eventually(patience, [&] { return open_descriptors(daemon_->pid()) <= descriptors_; });
  }

  /// Each session is one flow, the same as ever: its packets only become more.
  void check_sessions() {
    const Json flows_now = flows({"--table", "established", "--port", std::to_string(session_port)});
    ASSERT_EQ(flows_now.size(), sessions_.size()) << flows_now.dump(1);
    for (const Json& flow : flows_now) {
      const std::string who = flow.at("source").get<std::string>() + " " + flow.at("source_port").dump();
      const auto packets =
          flow.at("packets_forward").get<uint64_t>() + flow.at("packets_reverse").get<uint64_t>();
      EXPECT_EQ(flow.at("state"), "ESTABLISHED") << who;
      EXPECT_GT(packets, packets_[who]) << who;
      packets_[who] = packets;
    }
    EXPECT_EQ(packets_.size(), sessions_.size());
  }

  void check_books() {
    const MetricsPage now = scrape();
    EXPECT_EQ(now.imbalance(), 0);
    EXPECT_EQ(now.fell_since(last_), "");
    EXPECT_EQ(now.sum("xdpflowd_flows_evicted_total"), 0);
    last_ = now;
  }

  void step() {
    const std::string what = disturb();
    SCOPED_TRACE("after a " + what + ", seed " + std::to_string(seed_));
    EXPECT_TRUE(pings_go_through());
    talk();
    check_sessions();
    check_books();
  }

  /// All flows ended, each with a record, and none is left anywhere.
  void check_rest() {
    EXPECT_TRUE(becomes(0)) << flows({"--limit", "10"}).dump(1);
    EXPECT_TRUE(!kernel_counts() ||
                eventually(patience, [&] { return scrape().sum("xdpflowd_flows_counted") == 0; }));
    check_books();
    EXPECT_EQ(last_.sum("xdpflowd_flows_ended_total"), last_.sum("xdpflowd_flows_created_total"));
    EXPECT_TRUE(has_no_more_descriptors());
    EXPECT_EQ(stop_daemon(*daemon_), 0);
    count_records(folder.file("records.jsonl"));
    EXPECT_GE(static_cast<double>(records_) + last_.sum("xdpflowd_lost_total", "record"),
              last_.sum("xdpflowd_flows_ended_total"));
  }

  void summarize(uint64_t connections, uint64_t answers) const {
    std::printf(
        "%.0f flows, %.0f of them promoted; %lu short connections and %lu answers over UDP went through;",
        last_.sum("xdpflowd_flows_created_total"), last_.sum("xdpflowd_flows_promoted_total"), connections,
        answers);
    for (const auto& [what, times] : happened_) std::printf(" %s %u", what.c_str(), times);
    std::printf("\n");
  }

  const unsigned minutes_ = number_from("XDPFLOWD_SOAK_MINUTES", 1);
  const unsigned seed_ = number_from("XDPFLOWD_TEST_SEED", std::random_device()());
  std::minstd_rand random_{seed_};
  unsigned configs_ = 0;
  DaemonConfig config_ = another_config();
  std::optional<Background> daemon_;
  size_t descriptors_ = 0;
  std::vector<TcpPair> sessions_;
  std::map<std::string, uint64_t> packets_;  // of each session
  MetricsPage last_;
  uint64_t records_ = 0;
  std::map<std::string, unsigned> happened_;
};

TEST_F(Soak, NothingIsLostAndNothingPilesUp) {
  const auto before = KernelObjects::count();
  const auto slab_before = slab_kibibytes();
  start();
  open_sessions();
  {
    const MixedTraffic traffic(lab);
    const auto end = Clock::now() + std::chrono::minutes(minutes_);
    while (Clock::now() < end && !HasFailure()) step();
    EXPECT_GT(traffic.connections(), 1000U * minutes_);
    EXPECT_GT(traffic.answers(), 1000U * minutes_);
    summarize(traffic.connections(), traffic.answers());
  }
  for (auto& session : sessions_) session.close();
  check_rest();
  must_ctl({"unload"});
  EXPECT_TRUE(eventually(patience, [&] { return KernelObjects::count().at_most(before); }))
      << KernelObjects::count().programs << " programs and " << KernelObjects::count().maps
      << " maps, before " << before.programs << " and " << before.maps;
  EXPECT_TRUE(eventually(patience, [&] { return slab_kibibytes() <= slab_before + slab_growth_max; }))
      << slab_before << " KiB of slab before, " << slab_kibibytes() << " after";
  std::printf("slab: %zu KiB before, %zu after\n", slab_before, slab_kibibytes());
}

}  // namespace
}  // namespace xdpflowd::test
