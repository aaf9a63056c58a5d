// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>

#include "settings/difference.h"

namespace xdpflowd {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class Difference : public testing::Test {
 protected:
  Difference() {
    running.zones = {{"default", 1000, 500, 16}};
    running.interfaces = {{"wan0", {}, "default", AttachMode::automatic}};
    wanted = running;
  }

  /// One line for each change, with " (restart)" behind what cannot be applied live.
  std::vector<std::string> lines() const {
    std::vector<std::string> found;
    for (const auto& change : difference(running, wanted))
      found.push_back(text_of(change) + (applies_live(change.setting) ? "" : " (restart)"));
    return found;
  }

  Settings running, wanted;
};

TEST_F(Difference, OfTheSameIsNothing) {
  wanted.warnings = {"odd"};
  EXPECT_THAT(lines(), IsEmpty());
}

TEST_F(Difference, NamesKeysAndValuesAsTheFileDoes) {
  wanted.daemon = {LogLevel::debug, "/sys/fs/bpf/other", DispatcherPolicy::off};
  wanted.metrics.listen = "";
  wanted.records.file = "/var/log/flows";
  wanted.timeouts[XF_TIMEOUT_UDP] = 10s;
  wanted.timeouts[XF_TIMEOUT_TCP_ESTABLISHED] = 90s;
  EXPECT_THAT(
      lines(),
      ElementsAre("daemon.log_level: \"info\" -> \"debug\"",
                  "daemon.state_dir: \"/sys/fs/bpf/xdpflowd\" -> \"/sys/fs/bpf/other\" (restart)",
                  "daemon.dispatcher: \"auto\" -> \"off\" (restart)",
                  "metrics.listen: \"127.0.0.1:9742\" -> \"\"", "records.file: \"\" -> \"/var/log/flows\"",
                  "timeouts.tcp_established: 5d -> 90s", "timeouts.udp: 30s -> 10s"));
}

TEST_F(Difference, OfZonesIsByName) {
  wanted.zones = {{"tenant", 300, 200, 16}, {"default", 2000, 400, 8}};
  EXPECT_THAT(lines(),
              ElementsAre("zone.default.max_flows: 1000 -> 2000", "zone.default.max_half_open: 500 -> 400",
                          "zone.default.promote_packets: 16 -> 8",
                          "zone.tenant: none -> max_flows 300, max_half_open 200"));
}

TEST_F(Difference, OfInterfacesIsByNameAndVlan) {
  wanted.interfaces = {{"lan0", 10, "default", AttachMode::native},
                       {"lan0", {}, "default", AttachMode::native}};
  EXPECT_THAT(lines(), ElementsAre("interface wan0: zone \"default\", mode \"auto\" -> none",
                                   "interface lan0 vlan 10: none -> zone \"default\", mode \"native\"",
                                   "interface lan0: none -> zone \"default\", mode \"native\""));
}

TEST_F(Difference, DoesNotCareForTheOrderOfTheFile) {
  running.interfaces.push_back({"lan0", {}, "default", AttachMode::automatic});
  wanted.interfaces.insert(wanted.interfaces.begin(), running.interfaces.back());
  EXPECT_THAT(lines(), IsEmpty());
}

}  // namespace
}  // namespace xdpflowd
