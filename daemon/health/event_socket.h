// SPDX-License-Identifier: GPL-2.0-or-later
// The stream of events for programs that want to hear of targets, one JSON object per line.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "service/event_loop.h"

namespace xdpflowd {

struct EventSocketLimits {
  size_t clients = 64;
  size_t client_bytes = 262'144;  // kept for one that is slow to read; one more line, and it is disconnected
};

struct EventSocketCounters {
  uint64_t refused_clients = 0;  // there were as many as may be
  uint64_t slow_clients = 0;     // disconnected; connecting anew they are told how things are by then
  uint64_t lost_lines = 0;       // that a full FIFO did not take
};

/// A UNIX stream socket for any who may write to it (mode 0660), or, if there is a FIFO at the path, that
/// FIFO. Who connects is told how things are, and then each piece of news; a FIFO gets the news only, and
/// keeps what fits for a reader to come. Nobody is waited for.
class EventSocket {
 public:
  /// Lines, without newlines, that say how things are now.
  using PresentStates = std::function<std::vector<std::string>()>;

  /// `loop` must stay where it is and outlive the socket.
  static Result<EventSocket> open(EventLoop& loop, const std::string& path, PresentStates states,
                                  const EventSocketLimits& limits = {});
  EventSocket(EventSocket&&) noexcept;
  EventSocket& operator=(EventSocket&&) noexcept;
  /// Removes the socket from its path, unless another one is there by now.
  ~EventSocket();

  /// `line`: without a newline.
  void publish(const std::string& line);

  size_t clients() const;
  const EventSocketCounters& counters() const;

 private:
  class Impl;
  explicit EventSocket(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace xdpflowd
