// SPDX-License-Identifier: GPL-2.0-or-later
// kill -9 before each step of a start that changes something in the kernel: the next start repairs what is
// left.
#include <gmock/gmock.h>

#include "crash_lab.h"
#include "older_build.h"
#include "sockets.h"

namespace xdpflowd::test {
namespace {

using Crash = CrashLab;

TEST_F(Crash, AtAnyStepOfAnUpgradeLosesNoFlowAndIsRepaired) {
  std::optional<Background> daemon(start_daemon(config));
  const auto connection = open_tcp(lab, Lab::server4, 8080);
  const FrameSender client(lab.client, "client0");
  for (uint16_t port = 4000; port < 4050; ++port)
    client.send(udp().from(Lab::client4, port).to(Lab::server4, 53));
  ASSERT_TRUE(becomes(51));
  kill_daemon(*daemon);
  pretend_to_be_older(bpffs);
  const auto all = steps();
  ASSERT_GT(all.size(), 40U);
  for (size_t i = 0; i < all.size(); i += all.size() / 16) {
    pretend_to_be_older(bpffs);
    start_and_die_at(all[i]);
    connection.send_up(100);
    daemon.emplace(start_daemon(config));
    ASSERT_TRUE(becomes(51)) << name_of(all[i]);
    ASSERT_EQ(count({"--table", "established", "--protocol", "tcp"}), 1U) << name_of(all[i]);
    ASSERT_EQ(mode_of("lan0"), "native") << name_of(all[i]);
    ASSERT_EQ(mode_of("wan0"), "native") << name_of(all[i]);
    ASSERT_TRUE(eventually(patience, [&] { return scrape().imbalance() == 0; })) << name_of(all[i]);
    kill_daemon(*daemon);
  }
  daemon.emplace(start_daemon(config));
  EXPECT_EQ(scrape().sum("xdpflowd_flows_created_total"), 51);
  EXPECT_EQ(records().size(), 0U);
}

TEST_F(Crash, AtAnyStepOfAFirstStartIsRepaired) {
  const auto all = steps();
  must_ctl({"unload"});
  ASSERT_GT(all.size(), 60U);
  const FrameSender client(lab.client, "client0");
  for (size_t i = 0; i < all.size(); i += all.size() / 16) {
    start_and_die_at(all[i]);
    auto daemon = start_daemon(config);
    client.send(udp().from(Lab::client4, 4000).to(Lab::server4, 53));
    ASSERT_TRUE(becomes(1)) << name_of(all[i]);
    kill_daemon(daemon);
    must_ctl({"unload"});
    ASSERT_EQ(attached("lan0"), Json()) << name_of(all[i]);
  }
}

}  // namespace
}  // namespace xdpflowd::test
