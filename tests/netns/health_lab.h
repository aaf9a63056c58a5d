// SPDX-License-Identifier: GPL-2.0-or-later
// A lab with targets to probe.
#pragma once

#include <string>

#include "daemon_lab.h"

namespace xdpflowd::test {

/// A [[target]] with interval 50 ms and timeout 40 ms.
std::string target(const std::string& name, const std::string& address,
                   const std::string& more = "probe = \"icmp\"");

inline constexpr const char* tcp_8080 = "probe = \"tcp\"\nport = 8080";

/// A rule of the server's firewall.
void cut_off(const Netns& server, const std::string& rule);

class Health : public DaemonLab {
 protected:
  explicit Health(const LabOptions& options = {});

  Json targets() const;
  Json the_target(const std::string& name) const;
  std::string state_of(const std::string& name) const;
  bool turns(const std::string& name, const std::string& state) const;
  bool fails_by(const std::string& name, const std::string& error) const;

  void firewall(const std::string& rule) const { cut_off(lab.server, rule); }
  void no_firewall() const { lab.server.run({"nft", "delete", "table", "inet", "cut"}); }
  /// Packets that a rule with a counter has met.
  uint64_t dropped() const;

  static std::string log(const Background& daemon) { return daemon.err() + daemon.out(); }
};

}  // namespace xdpflowd::test
