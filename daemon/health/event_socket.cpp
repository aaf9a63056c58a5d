// SPDX-License-Identifier: GPL-2.0-or-later
#include "health/event_socket.h"

#include <limits.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/log.h"
#include "health/event_client.h"
#include "health/event_path.h"

namespace xdpflowd {
namespace {

constexpr std::chrono::seconds accept_pause{1};  // without descriptors, trying at once would only spin

}  // namespace

class EventSocket::Impl {
 public:
  Impl(EventLoop& loop, std::string path, EventPath opened, PresentStates states,
       const EventSocketLimits& limits)
      : loop_(loop),
        path_(std::move(path)),
        opened_(std::move(opened)),
        states_(std::move(states)),
        limits_(limits) {}

  Status listen();
  void publish(const std::string& line);
  size_t clients() const { return clients_.size(); }
  const EventSocketCounters& counters() const { return counters_; }

 private:
  void accept_some();
  void pause_accepting(int error);
  void resume_accepting();
  void add(UniqueFd socket);
  void refuse();
  void remove(const EventClient* client, EventClient::State why);
  void note_gone(const EventClient& client, EventClient::State why);
  std::string present_states() const;
  void write_to_fifo(const std::string& line);
  void note_fifo(bool took_line);

  EventLoop& loop_;
  std::string path_;
  EventPath opened_;
  PresentStates states_;
  EventSocketLimits limits_;
  EventSocketCounters counters_;
  bool full_ = false;                    // and this was logged
  std::optional<uint64_t> losing_from_;  // lost_lines when the FIFO became full
  std::optional<EventSource> source_;    // of new clients, or of the end of a pause
  std::vector<std::unique_ptr<EventClient>> clients_;
};

Status EventSocket::Impl::listen() {
  if (opened_.is_fifo) return ok();
  auto source = loop_.on_readable(opened_.fd.get(), [this] { accept_some(); });
  if (!source) return source.error();
  source_.emplace(std::move(*source));
  return ok();
}

void EventSocket::Impl::accept_some() {
  for (size_t i = 0; i < limits_.clients; i++) {
    UniqueFd socket(accept4(opened_.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket)
      add(std::move(socket));
    else if (errno == EAGAIN)
      return;
    else if (errno != EINTR && errno != ECONNABORTED)
      return pause_accepting(errno);
  }
}

void EventSocket::Impl::pause_accepting(int error) {
  log::error("{}; clients wait", system_error(error, "event socket " + path_).message);
  source_.reset();
  if (auto later = loop_.after(accept_pause, [this] { resume_accepting(); }); later)
    source_.emplace(std::move(*later));
  else
    log::error("event socket {}: no more clients are accepted: {}", path_, later.error().message);
}

void EventSocket::Impl::resume_accepting() {
  if (auto listening = listen(); !listening)
    log::error("event socket {}: no more clients are accepted: {}", path_, listening.error().message);
}

void EventSocket::Impl::add(UniqueFd socket) {
  if (clients_.size() >= limits_.clients) return refuse();
  auto self = std::make_shared<EventClient*>(nullptr);  // known only once it is made
  auto client = EventClient::create(loop_, std::move(socket), present_states(), limits_.client_bytes,
                                    [this, self](EventClient::State why) { remove(*self, why); });
  if (!client) return log::error("event socket {}: {}", path_, client.error().message);
  *self = client->get();
  clients_.push_back(std::move(*client));
}

void EventSocket::Impl::refuse() {
  counters_.refused_clients++;
  if (!std::exchange(full_, true))
    log::warn("event socket {}: has {} clients; others are refused", path_, clients_.size());
}

std::string EventSocket::Impl::present_states() const {
  std::string lines;
  for (const auto& line : states_()) {
    lines += line;
    lines += '\n';
  }
  return lines;
}

void EventSocket::Impl::publish(const std::string& line) {
  if (opened_.is_fifo) return write_to_fifo(line);
  std::erase_if(clients_, [&](const auto& client) {
    const auto state = client->tell(line);
    if (state != EventClient::State::connected) note_gone(*client, state);
    return state != EventClient::State::connected;
  });
}

void EventSocket::Impl::remove(const EventClient* client, EventClient::State why) {
  note_gone(*client, why);
  std::erase_if(clients_, [&](const auto& one) { return one.get() == client; });
}

void EventSocket::Impl::note_gone(const EventClient& client, EventClient::State why) {
  full_ = false;
  if (why != EventClient::State::too_slow) return;
  counters_.slow_clients++;
  log::warn("event socket {}: process {} does not read fast enough and is disconnected", path_,
            client.process());
}

/// A line that is no longer than PIPE_BUF is written whole or not at all.
void EventSocket::Impl::write_to_fifo(const std::string& line) {
  const std::string whole = line + '\n';
  note_fifo(whole.size() <= PIPE_BUF && write(opened_.fd.get(), whole.data(), whole.size()) > 0);
}

void EventSocket::Impl::note_fifo(bool took_line) {
  if (!took_line) {
    if (!losing_from_) {
      losing_from_ = counters_.lost_lines;
      log::warn("event FIFO {} is full; events are lost and counted until it is read", path_);
    }
    counters_.lost_lines++;
  } else if (losing_from_) {
    log::warn("event FIFO {} is read again; events lost meanwhile: {}", path_,
              counters_.lost_lines - *losing_from_);
    losing_from_.reset();
  }
}

Result<EventSocket> EventSocket::open(EventLoop& loop, const std::string& path, PresentStates states,
                                      const EventSocketLimits& limits) {
  auto opened = open_event_path(path);
  if (!opened) return opened.error();
  auto impl = std::make_unique<Impl>(loop, path, std::move(*opened), std::move(states), limits);
  if (auto listening = impl->listen(); !listening)
    return in_context(listening.error(), "event socket " + path);
  return EventSocket(std::move(impl));
}

EventSocket::EventSocket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventSocket::EventSocket(EventSocket&&) noexcept = default;
EventSocket& EventSocket::operator=(EventSocket&&) noexcept = default;
EventSocket::~EventSocket() = default;

void EventSocket::publish(const std::string& line) {
  impl_->publish(line);
}

size_t EventSocket::clients() const {
  return impl_->clients();
}

const EventSocketCounters& EventSocket::counters() const {
  return impl_->counters();
}

}  // namespace xdpflowd
