// SPDX-License-Identifier: GPL-2.0-or-later
// The records file under the hands of others: logrotate, a vanished folder, a full disk.
#include <gmock/gmock.h>
#include <sys/mount.h>

#include <filesystem>

#include "daemon_lab.h"
#include "sockets.h"

namespace xdpflowd::test {
namespace {

class Records : public PlainLab {
 protected:
  /// Flows that end at once, `count` of them.
  void end_flows(uint16_t first_port, uint16_t count) const {
    const FrameSender client(lab.client, "client0");
    for (uint16_t port = first_port; port < first_port + count; ++port)
      client.send(udp().from(Lab::client4, port).to(Lab::server4, 53));
    if (!becomes(count)) throw std::runtime_error("the flows do not appear");
    must_ctl({"flush"});
  }

  double unwritten() const { return scrape().at("xdpflowd_unwritten_records_total"); }

  static size_t occurrences(const std::string& text, const std::string& what) {
    size_t found = 0;
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
    return found;
  }
};

constexpr const char* lost_line = "records are lost and counted";

TEST_F(Records, Usr1OpensTheFileAnewAfterItWasRenamed) {
  auto daemon = start_daemon();
  end_flows(4000, 1);
  ASSERT_TRUE(records_become(1));
  std::filesystem::rename(folder.file("records.jsonl"), folder.file("records.1"));
  daemon.signal(SIGUSR1);
  ASSERT_TRUE(daemon.wait_for_output("reopened", patience));
  end_flows(5000, 1);
  ASSERT_TRUE(records_become(1));
  EXPECT_EQ(records("records.1").size(), 1U);
  EXPECT_EQ(records().at(0)["source_port"], 5000);
}

TEST_F(Records, AVanishedFolderIsCountedAndLoggedOnceAndHealed) {
  const std::string logs = folder.file("logs");
  std::filesystem::create_directory(logs);
  const auto daemon = start_daemon({.records = logs + "/records.jsonl"});
  std::filesystem::remove_all(logs);
  end_flows(4000, 3);
  ASSERT_TRUE(eventually(patience, [&] { return unwritten() == 3; }));
  end_flows(5000, 2);
  ASSERT_TRUE(eventually(patience, [&] { return unwritten() == 5; }));
  EXPECT_EQ(occurrences(daemon.err() + daemon.out(), lost_line), 1U);

  std::filesystem::create_directory(logs);
  end_flows(6000, 1);
  ASSERT_TRUE(eventually(patience, [&] { return records("logs/records.jsonl").size() == 1; }));
  EXPECT_EQ(unwritten(), 5);
}

TEST_F(Records, AFullDiskIsCountedAndLoggedOnceAndTheFileHoldsWholeLines) {
  const std::string disk = folder.file("disk");
  std::filesystem::create_directory(disk);
  ASSERT_EQ(mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=16k"), 0);
  const Undo mounted = Undo::mount(disk);
  const auto daemon = start_daemon({.records = disk + "/records.jsonl"});
  end_flows(4000, 200);
  ASSERT_TRUE(
      eventually(patience, [&] { return unwritten() + records("disk/records.jsonl").size() == 200; }));
  EXPECT_GT(unwritten(), 100);
  EXPECT_EQ(occurrences(daemon.err() + daemon.out(), lost_line), 1U);

  const auto written = records("disk/records.jsonl").size();
  ASSERT_EQ(mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=1m"), 0);
  end_flows(5000, 10);
  EXPECT_TRUE(eventually(patience, [&] { return records("disk/records.jsonl").size() == written + 10; }));
}

TEST_F(Records, WhatEndedJustBeforeAStopIsWritten) {
  auto daemon = start_daemon();
  end_flows(4000, 20);
  EXPECT_EQ(stop_daemon(daemon), 0);
  EXPECT_EQ(records().size(), 20U);
}

TEST_F(Records, WithoutAFileNoneIsKeptAndNoneIsLost) {
  const auto daemon = start_daemon({.records = ""});
  end_flows(4000, 5);
  const MetricsPage page = scrape();
  EXPECT_EQ(page.sum("xdpflowd_flows_ended_total", "reason=\"flushed\""), 5);
  EXPECT_EQ(page.sum("xdpflowd_lost_total"), 0);
}

}  // namespace
}  // namespace xdpflowd::test
