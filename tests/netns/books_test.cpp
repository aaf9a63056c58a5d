// SPDX-License-Identifier: GPL-2.0-or-later
// The books add up at every scrape: created = live + ended + evicted.
#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "daemon_lab.h"
#include "sockets.h"

namespace xdpflowd::test {
namespace {

/// Connections one after the other until it is told to stop.
class TcpChurn {
 public:
  TcpChurn(const Lab& lab, uint16_t port) : lab_(lab), port_(port), worker_([this] { run(); }) {}
  ~TcpChurn() {
    stop_ = true;
    worker_.join();
    EXPECT_EQ(problem_, "");
  }

 private:
  void run() {
    try {
      while (!stop_) {
        auto connection = open_tcp(lab_, Lab::server4, port_);
        connection.send_up(100);
        connection.close();
      }
    } catch (const std::runtime_error& error) {
      problem_ = error.what();
    }
  }

  const Lab& lab_;
  const uint16_t port_;
  std::atomic<bool> stop_ = false;
  std::string problem_;  // read when the worker has ended
  std::thread worker_;
};

class Books : public PlainLab {
 protected:
  Background udp_flood(uint32_t flows) const {
    return lab.client.start(
        {NETNS_FLOOD, "client0", Lab::lan_mac, Lab::server4, "53", "0", std::to_string(flows), "udp"});
  }

  /// Scrapes until `done`; fails at the first page that does not add up.
  void audit(const std::function<bool()>& done) const {
    MetricsPage last = scrape();
    size_t scrapes = 0;
    for (; !done(); ++scrapes) {
      const MetricsPage now = scrape();
      ASSERT_EQ(now.imbalance(), 0);
      ASSERT_EQ(now.fell_since(last), "");
      last = now;
    }
    EXPECT_GT(scrapes, 10U) << "too few to mean anything";
  }

  /// The kernel's count is ours. As good as true where it does not count.
  bool at_rest(const MetricsPage& page) const {
    if (!kernel_counts()) return true;
    for (const char* table : {"half_open", "established"}) {
      const std::string labels = std::string("{zone=\"default\",table=\"") + table + "\"}";
      if (page.at("xdpflowd_flows" + labels) != page.at("xdpflowd_flows_counted" + labels)) return false;
    }
    return true;
  }
};

TEST_F(Books, AddUpAtEveryScrapeUnderChurn) {
  const auto daemon = start_daemon({.rest = "[timeouts]\nudp = \"50ms\"\ntcp_time_wait = "
                                            "\"20ms\"\ntcp_last_ack = \"20ms\"\ntcp_syn_sent = \"500ms\"\n"});
  {
    const TcpChurn churn(lab, 8080);
    auto flood = udp_flood(200'000);
    audit([&] { return !flood.is_running(); });
    EXPECT_EQ(flood.wait(patience), 0) << flood.err();
  }
  EXPECT_GT(scrape().at("xdpflowd_flows_created_total{zone=\"default\"}"), 20'000);
  EXPECT_TRUE(becomes(0)) << flows({"--limit", "10"}).dump(1);
  EXPECT_TRUE(eventually(patience, [&] { return at_rest(scrape()); }));
  EXPECT_EQ(scrape().sum("xdpflowd_flows"), 0);
}

TEST_F(Books, AddUpWhileTablesOverflow) {
  const auto daemon = start_daemon({.rest = "[zone.default]\nmax_flows = 1024\nmax_half_open = 1024\n"
                                            "[timeouts]\nudp = \"100ms\"\n"});
  auto flood = udp_flood(200'000);
  audit([&] { return !flood.is_running(); });
  EXPECT_TRUE(becomes(0));
  if (!kernel_counts()) GTEST_SKIP() << "before Linux 6.6 what was evicted is found out once a minute";
  // The evicted counter rises to the smaller of two estimates: the second one comes with the next scrape.
  EXPECT_TRUE(eventually(patience, [&] { return at_rest(scrape()); }));
  const MetricsPage page = scrape();
  EXPECT_EQ(page.imbalance(), 0);
  EXPECT_GT(page.sum("xdpflowd_flows_evicted_total"), 0);
  EXPECT_EQ(page.sum("xdpflowd_flows"), 0);
}

TEST_F(Books, AtRestTheKernelCountsOurFlowsAndNothingWasEvicted) {
  const auto daemon = start_daemon();
  const auto connections = open_tcp(lab, Lab::server4, 8080, 20);
  auto flood = udp_flood(3'000);
  ASSERT_EQ(flood.wait(patience), 0);
  ASSERT_TRUE(becomes(20, {"--table", "established"}));
  EXPECT_TRUE(eventually(patience, [&] { return at_rest(scrape()); }));
  const MetricsPage page = scrape();
  EXPECT_EQ(page.sum("xdpflowd_flows_evicted_total"), 0);
  EXPECT_EQ(page.sum("xdpflowd_flows"), static_cast<double>(count()));
  EXPECT_EQ(page.sum("xdpflowd_flows"), page.sum("xdpflowd_flows_created_total"));
  EXPECT_EQ(page.sum("xdpflowd_flows_promoted_total"), 20);
}

TEST_F(Books, PromtoolFindsNothingWrongWithTheLivePage) {
  const auto daemon = start_daemon();
  const auto connection = open_tcp(lab, Lab::server4, 8080);
  const std::string page = http_get(lab.router, "127.0.0.1", 9742, "/metrics").body;
  const Outcome checked = run({PROMTOOL, "check", "metrics"}, patience, page);
  EXPECT_EQ(checked.status, 0);
  EXPECT_EQ(checked.out + checked.err, "");
}

}  // namespace
}  // namespace xdpflowd::test
