// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "service/event_loop.h"

namespace xdpflowd {

/// Somebody who listens to events. Nothing here waits: what the client has not taken yet is kept for it, up
/// to a bound.
class EventClient {
 public:
  enum class State { connected, left, too_slow };
  using Gone = std::function<void(State)>;

  /// `first`: what the client is told before all else. It is not under the bound `bytes_max`, for it is told
  /// once, and may be long. `gone` is called from the loop and may destroy the client.
  static Result<std::unique_ptr<EventClient>> create(EventLoop& loop, UniqueFd socket, std::string first,
                                                     size_t bytes_max, Gone gone);

  /// If the client is no longer connected, the caller destroys it.
  State tell(std::string_view line);

  pid_t process() const;

 private:
  /// Bytes, some of which were sent.
  struct Outgoing {
    std::string bytes;
    size_t sent = 0;

    bool done() const { return sent == bytes.size(); }
  };

  EventClient(EventLoop& loop, UniqueFd socket, std::string first, size_t bytes_max, Gone gone)
      : loop_(loop),
        socket_(std::move(socket)),
        first_{std::move(first)},
        bytes_max_(bytes_max),
        gone_(std::move(gone)) {}
  State send_some();
  bool send_from(Outgoing& outgoing) const;
  Status watch(bool sending);
  void on_writable();
  void leave();

  EventLoop& loop_;
  UniqueFd socket_;
  Outgoing first_;
  Outgoing lines_;  // after first_
  size_t bytes_max_;
  Gone gone_;
  std::optional<EventSource> source_;
  bool sending_ = false;  // source_ is for sending
};

}  // namespace xdpflowd
