// SPDX-License-Identifier: GPL-2.0-or-later
// What a router sees all day: many short connections, questions with one answer, pings, over IPv4 and IPv6.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/netns.h"

namespace xdpflowd::test {

/// From the client to the server until it is destroyed. What a link that is down costs is tried again.
class MixedTraffic {
 public:
  static constexpr uint16_t web = 8081, names = 53;  // ports

  explicit MixedTraffic(const Lab& lab);
  ~MixedTraffic();
  MixedTraffic(const MixedTraffic&) = delete;
  MixedTraffic& operator=(const MixedTraffic&) = delete;

  /// That went through from beginning to end.
  uint64_t connections() const { return connections_; }
  uint64_t answers() const { return answers_; }

 private:
  void keep(const std::function<void()>& action);
  bool is_over_within(Milliseconds pause);
  void connect_often(const std::string& address);
  void ask_often(const std::string& client, const std::string& server);

  const Lab& lab_;
  std::atomic<uint64_t> connections_ = 0, answers_ = 0;
  std::mutex mutex_;
  std::condition_variable over_;
  bool is_over_ = false;
  std::vector<Background> pings_;
  std::vector<std::thread> workers_;
};

}  // namespace xdpflowd::test
