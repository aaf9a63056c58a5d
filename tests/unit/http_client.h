// SPDX-License-Identifier: GPL-2.0-or-later
// A client for tests of the HTTP endpoint, in one thread with the server: waiting, it turns the event loop.
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/unique_fd.h"

namespace xdpflowd {

class TestLoop {
 public:
  TestLoop() { sd_event_new(&event_); }
  ~TestLoop() { sd_event_unref(event_); }
  TestLoop(const TestLoop&) = delete;
  TestLoop& operator=(const TestLoop&) = delete;

  sd_event* get() { return event_; }
  /// One turn, which waits a millisecond at most for something to do.
  void turn() { sd_event_run(event_, 1000); }

 private:
  sd_event* event_ = nullptr;
};

/// A connection to the server under test.
class HttpClient {
 public:
  HttpClient(TestLoop& loop, uint16_t port, int family = AF_INET)
      : loop_(loop), socket_(socket(family, SOCK_STREAM, 0)) {
    sockaddr_in v4{
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    sockaddr_in6 v6{.sin6_family = AF_INET6,
                    .sin6_port = htons(port),
                    .sin6_flowinfo = 0,
                    .sin6_addr = IN6ADDR_LOOPBACK_INIT,
                    .sin6_scope_id = 0};
    const bool is_v4 = family == AF_INET;
    const auto* address = is_v4 ? reinterpret_cast<sockaddr*>(&v4) : reinterpret_cast<sockaddr*>(&v6);
    connected_ = connect(socket_.get(), address, is_v4 ? sizeof(v4) : sizeof(v6)) == 0;
    fcntl(socket_.get(), F_SETFL, O_NONBLOCK);
  }

  bool connected() const { return connected_; }

  void send(std::string_view bytes) const { ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }

  /// What arrives until there are `count` times `mark`, or the server closes, or the time is up.
  std::string receive(std::string_view mark, size_t count = 1,
                      std::chrono::milliseconds patience = std::chrono::seconds(2)) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (occurrences(mark) < count && !closed_ && std::chrono::steady_clock::now() < deadline) {
      loop_.turn();
      read_all();
    }
    return received_;
  }

  /// Whether the server closes the connection in time.
  bool closes(std::chrono::milliseconds patience = std::chrono::seconds(2)) {
    receive("\x01 never sent", 1, patience);
    return closed_;
  }

  /// How much has been sent without a further turn of the server.
  size_t read_without_server() {
    read_all();
    return received_.size();
  }

  size_t occurrences(std::string_view mark) const {
    size_t count = 0;
    for (size_t at = received_.find(mark); at != std::string::npos; at = received_.find(mark, at + 1))
      ++count;
    return count;
  }

 private:
  void read_all() {
    std::array<char, 65536> buffer;
    ssize_t got = 0;
    while ((got = recv(socket_.get(), buffer.data(), buffer.size(), 0)) > 0)
      received_.append(buffer.data(), got);
    closed_ = closed_ || got == 0 || (got < 0 && errno != EAGAIN);
  }

  TestLoop& loop_;
  UniqueFd socket_;
  std::string received_;
  bool connected_ = false, closed_ = false;
};

}  // namespace xdpflowd
