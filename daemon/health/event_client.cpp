// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/event_client.h"

#include <sys/socket.h>

#include <cerrno>

namespace xdpflowd {
namespace {

// Lines are sent together when the loop turns; a burst of them within one turn is sent as it grows.
constexpr size_t burst_bytes = 32'768;

}  // namespace

Result<std::unique_ptr<EventClient>> EventClient::create(EventLoop& loop, UniqueFd socket, std::string first,
                                                         size_t bytes_max, Gone gone) {
  std::unique_ptr<EventClient> client(
      new EventClient(loop, std::move(socket), std::move(first), bytes_max, std::move(gone)));
  if (auto watched = client->watch(true); !watched) return watched.error();
  return client;
}

EventClient::State EventClient::tell(std::string_view line) {
  lines_.bytes += line;
  lines_.bytes += '\n';
  if (lines_.bytes.size() > burst_bytes && send_some() == State::left) return State::left;
  if (lines_.bytes.size() > bytes_max_) return State::too_slow;
  return watch(true) ? State::connected : State::left;
}

EventClient::State EventClient::send_some() {
  if (!send_from(first_) || (first_.done() && !send_from(lines_))) return State::left;
  if (first_.done()) first_ = {};
  lines_.bytes.erase(0, lines_.sent);
  lines_.sent = 0;
  return State::connected;
}

/// As much as the socket takes; false if there is nobody to take it.
bool EventClient::send_from(Outgoing& outgoing) const {
  while (!outgoing.done()) {
    const auto rest = std::string_view(outgoing.bytes).substr(outgoing.sent);
    const ssize_t sent = send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0)
      outgoing.sent += static_cast<size_t>(sent);
    else if (errno != EINTR)
      return errno == EAGAIN;
  }
  return true;
}

/// For when it can be sent more, which tells of a hangup too, or for a hangup alone: the loop takes one
/// source per descriptor. Its end of file does not matter: who has nothing to say may close its direction and
/// listen.
Status EventClient::watch(bool sending) {
  if (source_ && sending == sending_) return ok();
  source_.reset();
  sending_ = sending;
  auto source = sending ? loop_.on_writable(socket_.get(), [this] { on_writable(); })
                        : loop_.on_hangup(socket_.get(), [this] { leave(); });
  if (!source) return source.error();
  source_.emplace(std::move(*source));
  return ok();
}

void EventClient::on_writable() {
  if (send_some() == State::left) return leave();
  if (first_.done() && lines_.done() && !watch(false)) leave();
}

void EventClient::leave() {
  const Gone gone = std::move(gone_);  // it may destroy this
  gone(State::left);
}

pid_t EventClient::process() const {
  ucred peer{};
  socklen_t size = sizeof peer;
  getsockopt(socket_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size);
  return peer.pid;
}

}  // namespace xdpflowd
