// SPDX-License-Identifier: GPL-2.0-or-later
// Network namespaces and a small routed network for end-to-end tests. Root only. Failures throw
// std::runtime_error.
#pragma once

#include <functional>
#include <string>

#include "support/guardian.h"
#include "support/process.h"

namespace xdpflowd::test {

/// A network namespace with a random name; `lo` is up. Gone with the object, or with the process.
class Netns {
 public:
  Netns();

  const std::string& name() const { return name_; }
  /// For nsenter --net=... and setns(2).
  std::string path() const { return "/run/netns/" + name_; }

  /// `argv` inside of this namespace. By nsenter: `ip netns exec` would put another /sys, without bpffs, over
  /// ours.
  Argv command(const Argv& argv) const;
  Outcome run(const Argv& argv, Milliseconds timeout = std::chrono::seconds(20)) const;
  std::string must_run(const Argv& argv) const;
  Background start(const Argv& argv) const { return Background(command(argv)); }

  /// Calls `function` in a thread that is in this namespace. Sockets opened there stay there. What it throws
  /// is thrown.
  void call(const std::function<void()>& function) const;
  /// Writes a file below /proc/sys/net: set("ipv4/ip_forward", "1").
  void set(const std::string& sysctl, const std::string& value) const;
  /// Lines of `ip`: "link set lan0 up".
  void ip(const std::string& lines) const;

 private:
  std::string name_;
  Undo made_;
};

struct LabOptions {
  unsigned mtu = 1500;
  /// false: no TSO, GSO, GRO on any of the links, so that senders, wires and XDP count the same frames.
  bool segmentation_offload = true;
  /// true: permanent neighbour entries between the three, so that no ARP and no neighbour discovery is seen.
  bool static_neighbours = false;
};

/// client (client0) -- (lan0) router (wan0) -- (server0) server, IPv4 and IPv6, ready when constructed.
/// Nobody answers at the `nobody` addresses of the server's network.
class Lab {
 public:
  explicit Lab(const LabOptions& options = {});

  static constexpr const char* client4 = "198.18.1.2";
  static constexpr const char* lan4 = "198.18.1.1";
  static constexpr const char* wan4 = "198.18.2.1";
  static constexpr const char* server4 = "198.18.2.2";
  static constexpr const char* nobody4 = "198.18.2.99";
  static constexpr const char* client6 = "2001:db8:1::2";
  static constexpr const char* lan6 = "2001:db8:1::1";
  static constexpr const char* wan6 = "2001:db8:2::1";
  static constexpr const char* server6 = "2001:db8:2::2";
  static constexpr const char* nobody6 = "2001:db8:2::99";
  // Locally administered: 02:00:00:00:NETWORK:HOST.
  static constexpr const char* client_mac = "02:00:00:00:01:02";
  static constexpr const char* lan_mac = "02:00:00:00:01:01";
  static constexpr const char* wan_mac = "02:00:00:00:02:01";
  static constexpr const char* server_mac = "02:00:00:00:02:02";

  Netns client;
  Netns router;
  Netns server;

 private:
  void set_sysctls();
  void make_links(const LabOptions& options);
  void set_addresses();
  void fix_neighbours();
  void wait_until_ready();
};

/// A bpffs of its own, so that a test never meets the host's pins. What is pinned in it goes with it.
class Bpffs {
 public:
  Bpffs();

  const std::string& path() const { return path_; }
  /// A state_dir for a daemon. bpffs refuses names with dots.
  std::string state_dir() const { return path_ + "/xdpflowd"; }

 private:
  std::string path_;
  Undo mounted_;
};

}  // namespace xdpflowd::test
