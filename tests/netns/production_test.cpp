// SPDX-License-Identifier: GPL-2.0-or-later
// Years of operation in a minute: kills, restarts, reloads, resizes and upgrades in random order, under live
// connections and thousands of flows. Not one is lost, and nothing is left in the kernel.
#include <gmock/gmock.h>

#include <optional>
#include <random>

#include "daemon_lab.h"
#include "kernel_objects.h"
#include "older_build.h"
#include "sockets.h"

namespace xdpflowd::test {
namespace {

class Production : public PlainLab {
 protected:
  static constexpr unsigned sources = 20;
  static constexpr uint16_t ports = 10'000;
  static constexpr size_t silent = sources * ports;
  static constexpr int steps = 50;

  /// Flows that only a daemon's mistake can end.
  void make_silent_flows() const {
    const FrameSender client(lab.client, "client0");
    for (unsigned source = 10; source < 10 + sources; ++source)
      for (uint16_t i = 0; i < ports; ++i)
        client.send(udp().from("198.18.1." + std::to_string(source), 10'000 + i).to(Lab::server4, 53));
    if (!becomes(silent, {"--protocol", "udp"})) throw std::runtime_error("the flows do not appear");
  }

  DaemonConfig another_config() {
    const auto one_of = [&](const std::vector<std::string>& words) { return words[random() % words.size()]; };
    return {.daemon = "log_level = \"" + one_of({"info", "debug"}) + "\"",
            .rest = "[timeouts]\nudp = \"" + one_of({"1h", "2h", "1d"}) +
                    "\"\n[zone.default]\nmax_flows = " + one_of({"20000", "40000", "100000"}) +
                    "\nmax_half_open = " + one_of({"262144", "300000", "400000"}) +
                    "\npromote_packets = " + one_of({"16", "20"}) + "\n"};
  }

  /// What happened, for the message of a failure.
  std::string disturb(std::optional<Background>& daemon) {
    switch (random() % 5) {
      case 0:
        kill_daemon(*daemon);
        daemon.emplace(start_daemon(config_));
        return "kill";
      case 1:
        stop_daemon(*daemon);
        daemon.emplace(start_daemon(config_));
        return "restart";
      case 2:
        kill_daemon(*daemon);
        pretend_to_be_older(bpffs);
        daemon.emplace(start_daemon(config_));
        return "upgrade";
      case 3:
        config_ = another_config();
        kill_daemon(*daemon);
        daemon.emplace(start_daemon(config_));
        return "kill with another configuration";
      default:
        config_ = another_config();
        write_config(config_);
        daemon->signal(SIGHUP);
        return "reload";
    }
  }

  std::minstd_rand random{20261124};
  DaemonConfig config_ = {
      .rest = "[timeouts]\nudp = \"1h\"\n[zone.default]\nmax_flows = 20000\nmax_half_open = 262144\n"};
};

TEST_F(Production, NothingIsLostOrLeaked) {
  const auto before = KernelObjects::count();
  std::optional<Background> daemon(start_daemon(config_));
  const auto connections = open_tcp(lab, Lab::server4, 8080, 5);
  make_silent_flows();
  MetricsPage last;
  for (int step = 0; step < steps; ++step) {
    for (const auto& connection : connections) connection.send_up(1000);
    const auto what = disturb(daemon);
    for (const auto& connection : connections) connection.send_up(1000);
    const auto now = scrape();
    ASSERT_EQ(now.fell_since(last), "") << "step " << step << ": " << what;
    ASSERT_TRUE(becomes(silent, {"--protocol", "udp"})) << "step " << step << ": " << what;
    ASSERT_EQ(count({"--table", "established", "--protocol", "tcp"}), connections.size())
        << "step " << step << ": " << what;
    last = now;
  }
  EXPECT_EQ(scrape().sum("xdpflowd_flows_evicted_total"), 0);
  EXPECT_EQ(scrape().sum("xdpflowd_flows_created_total"), silent + connections.size());
  EXPECT_EQ(records().size(), 0U);
  EXPECT_EQ(stop_daemon(*daemon), 0);
  must_ctl({"unload"});
  EXPECT_TRUE(eventually(patience, [&] { return KernelObjects::count().at_most(before); }))
      << KernelObjects::count().programs << " programs and " << KernelObjects::count().maps
      << " maps, before " << before.programs << " and " << before.maps;
}

}  // namespace
}  // namespace xdpflowd::test
