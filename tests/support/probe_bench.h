// SPDX-License-Identifier: GPL-2.0-or-later
// The probe program and the packet program over the same maps, in a network namespace with one neighbour:
// probes are built and armed, replies are run through the packet program, nothing is sent.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "dataplane/event_ring.h"
#include "dataplane/probe_client.h"
#include "support/netns.h"
#include "support/tracker.h"

#include "probe.skel.h"

namespace xdpflowd::test {

class ProbeBench {
 public:
  static constexpr const char* own4 = "192.0.2.1";
  static constexpr const char* peer4 = "192.0.2.2";    // has a MAC
  static constexpr const char* mute4 = "192.0.2.3";    // has none
  static constexpr const char* far4 = "198.51.100.7";  // by peer4
  static constexpr const char* own6 = "2001:db8::1";
  static constexpr const char* peer6 = "2001:db8::2";
  static constexpr uint16_t own_port = 12'000;
  static constexpr auto patience = std::chrono::seconds(5);

  ProbeBench();

  /// With interval 160 ms, timeout 150 ms (an emulated machine is slow), fall 2, rise 2; `change` is applied
  /// before it is added. Returns its index; it is started, and due as soon as may be.
  uint32_t add(
      xf_probe probe, const std::string& address,
      const std::function<void(xf_target_config&)>& change = [](xf_target_config&) {});
  void configure(uint32_t index, const std::function<void(xf_target_config&)>& change);
  void start(uint32_t index);
  void stop(uint32_t index);

  /// As the daemon: reads what the ring `due_probes` has, and is told when there is more.
  void read_due();
  bool is_woken(std::chrono::milliseconds within = patience) const;

  /// Waits until the probe is due and builds it.
  xf_probe_frame build(uint32_t index);
  /// As it was built, or with another outcome.
  void arm(const xf_probe_frame& built, int outcome = 0);
  /// build() and arm().
  xf_probe_frame send(uint32_t index);
  /// The bytes of the frame.
  static Bytes bytes(const xf_probe_frame& frame) { return {frame.bytes, frame.bytes + frame.length}; }

  xf_target target(uint32_t index) const;
  xf_health health(uint32_t index) const { return static_cast<xf_health>(target(index).health); }
  xf_probe_phase phase(uint32_t index) const { return static_cast<xf_probe_phase>(target(index).phase); }
  bool becomes(uint32_t index, const std::function<bool(const xf_target&)>& predicate) const;

  /// Through the packet program: the verdict, and the frame as it comes out.
  std::pair<uint32_t, Bytes> receive(const Bytes& frame) const;
  std::vector<xf_target_event> events() const;

  Tracker& tracker() { return tracker_; }

 private:
  void make_network();
  void watch_due();
  void run(xf_probe_op op, size_t count);

  Netns netns_;
  Tracker tracker_;
  Skeleton<probe_bpf> probe_{nullptr, probe_bpf__destroy};
  std::optional<ProbeClient> client_;
  std::optional<EventRing> due_;
  UniqueFd epoll_;
  std::vector<xf_target_config> configs_;
  uint32_t ifindex_ = 0;
};

}  // namespace xdpflowd::test
