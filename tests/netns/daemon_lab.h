// SPDX-License-Identifier: GPL-2.0-or-later
// The daemon on the router of a lab: client -- router -- server. Every test has namespaces, mounts, a bpffs
// and a configuration of its own, all gone at its end.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "metrics_page.h"
#include "support/netns.h"

namespace xdpflowd::test {

using Json = nlohmann::json;

/// What a test that waits for the machine waits at most: it may be an emulated one.
constexpr auto patience = std::chrono::seconds(30);

/// What is mounted below /sys is this process's own affair from here on, and /sys/fs/bpf, where libxdp keeps
/// its dispatchers, is an empty bpffs.
class PrivateMounts {
 public:
  PrivateMounts();
};

/// A folder in memory that everybody may read.
class TemporaryFolder {
 public:
  TemporaryFolder();

  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
  Undo mounted_;
};

inline constexpr const char* lan_and_wan = "[[interface]]\nname = \"lan0\"\n[[interface]]\nname = \"wan0\"\n";

/// A section of TOML; `more`: lines in it.
std::string interface(const std::string& name, const std::string& more = "");

/// Pieces of TOML.
struct DaemonConfig {
  std::string daemon = {};  // more keys of [daemon]
  std::string interfaces = lan_and_wan;
  std::string rest = {};  // [timeouts], [zone.NAME]
  std::optional<std::string> records =
      {};  // the records file; records.jsonl in the test's folder unless given
  std::string listen = "127.0.0.1:9742";
  std::optional<std::string> state_dir = {};
};

class DaemonLab : public ::testing::Test {
 protected:
  explicit DaemonLab(const LabOptions& options = {});

  /// Writes the file; returns its path.
  std::string write_config(const DaemonConfig& config) const;
  Argv daemon_command(const DaemonConfig& config) const;
  /// Running and ready; throws with its log if it is not.
  Background start_daemon(const DaemonConfig& config = {}) const;
  /// One that is expected to end by itself.
  Outcome run_daemon(const DaemonConfig& config) const;
  /// kill -9, and its end.
  static void kill_daemon(Background& daemon);
  /// SIGTERM; its exit status.
  static int stop_daemon(Background& daemon);

  Outcome ctl(const Argv& arguments) const;
  /// stdout of a command that must succeed.
  std::string must_ctl(const Argv& arguments) const;
  Json flows(const Argv& filters = {}) const;
  /// The only flow that matches; throws if there is none or more than one.
  Json the_flow(const Argv& filters = {}) const;
  size_t count(const Argv& filters = {}) const;
  /// Whether `count` flows match within `patience`.
  bool becomes(size_t count, const Argv& filters = {}) const;
  Json status() const;
  /// Of `status`.
  Json interface_status(const std::string& name) const;

  /// "" if the daemon does not know the device.
  std::string mode_of(const std::string& device) const;

  /// Whether this kernel tells how many elements a table has (6.6+); else tables are walked once a minute.
  bool kernel_counts() const;

  MetricsPage scrape() const;
  /// One JSON object per line of the records file.
  std::vector<Json> records(const std::string& file = "records.jsonl") const;
  bool records_become(size_t count) const;

  /// What `ip link` knows of the XDP program of a router's device; null if it has none.
  Json attached(const std::string& device) const;

  PrivateMounts mounts_;
  Lab lab;
  Bpffs bpffs;
  TemporaryFolder folder;
};

/// No offload and no neighbour discovery: XDP, the stack and the wire see the same packets.
class PlainLab : public DaemonLab {
 protected:
  PlainLab() : DaemonLab({.segmentation_offload = false, .static_neighbours = true}) {}
};

std::string read_file(const std::string& path);

}  // namespace xdpflowd::test
