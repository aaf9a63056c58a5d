// SPDX-License-Identifier: GPL-2.0-or-later
// TCP connections through the router of a lab that talk all the time. Throws std::runtime_error.
#pragma once

#include <atomic>
#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include "netns/sockets.h"

namespace xdpflowd::bench {

class Sessions {
 public:
  static constexpr uint16_t port = 9000;

  Sessions(const test::Lab& lab, size_t count);

  /// The clients' ports.
  const std::vector<uint16_t>& clients() const { return clients_; }
  /// Each client says more than in all that follows: the bytes of a flow that begins again show it.
  void say_much();
  /// Each client says something that its server hears. About a second; other ones are opened meanwhile.
  void talk();
  /// How many could not talk once.
  size_t broken() const { return broken_.size(); }

 private:
  void talk(size_t number);

  std::vector<test::TcpPair> pairs_;
  std::vector<uint16_t> clients_;
  std::set<size_t> broken_;
};

/// Opens connections, one after the other, for as long as it lives.
class Newcomers {
 public:
  explicit Newcomers(const test::Lab& lab);
  ~Newcomers();
  Newcomers(const Newcomers&) = delete;
  Newcomers& operator=(const Newcomers&) = delete;

  size_t tried() const { return tried_; }
  size_t failed() const { return failed_; }

 private:
  void open(const test::Lab& lab);

  UniqueFd listener_;
  std::atomic<bool> stop_ = false;
  std::atomic<size_t> tried_ = 0, failed_ = 0;
  std::thread worker_;
};

}  // namespace xdpflowd::bench
