// SPDX-License-Identifier: GPL-2.0-or-later
#include "mixed_traffic.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <stdexcept>

#include "sockets.h"

namespace xdpflowd::test {
namespace {

using namespace std::chrono_literals;

constexpr size_t at_once = 20;        // connections, questions
constexpr auto pause_between = 50ms;  // so that this machine's CPUs have time for the router
constexpr size_t request = 200, question = 40;

/// Who waits for an answer that got lost loses little time.
void make_impatient(const UniqueFd& socket) {
  constexpr timeval shortly{.tv_sec = 0, .tv_usec = 300'000};
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &shortly, sizeof shortly);
}

}  // namespace

MixedTraffic::MixedTraffic(const Lab& lab) : lab_(lab) {
  for (const char* address : {Lab::server4, Lab::server6})
    pings_.push_back(lab.client.start({"ping", "-n", "-q", "-i", "0.1", address}));
  for (const char* address : {Lab::server4, Lab::server6})
    workers_.emplace_back([this, address] { keep([=, this] { connect_often(address); }); });
  for (const auto& [client, server] :
       {std::pair(Lab::client4, Lab::server4), std::pair(Lab::client6, Lab::server6)})
    workers_.emplace_back([this, client, server] { keep([=, this] { ask_often(client, server); }); });
}

MixedTraffic::~MixedTraffic() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  over_.notify_all();
  for (auto& worker : workers_) worker.join();
}

bool MixedTraffic::is_over_within(Milliseconds pause) {
  std::unique_lock lock(mutex_);
  return over_.wait_for(lock, pause, [&] { return is_over_; });
}

void MixedTraffic::keep(const std::function<void()>& action) {
  while (!is_over_within(pause_between)) {
    try {
      action();
    } catch (const std::runtime_error&) {  // a link was down: sockets and listeners are made anew
    }
  }
}

void MixedTraffic::connect_often(const std::string& address) {
  for (auto& connection : open_tcp(lab_, address, web, at_once)) {
    connection.send_up(request);
    connection.close();
    ++connections_;
  }
}

void MixedTraffic::ask_often(const std::string& client, const std::string& server) {
  const UniqueFd answering = udp_socket(lab_.server, server, names);
  make_impatient(answering);
  for (size_t i = 0; i < at_once; ++i) {
    const UniqueFd asking = udp_socket(lab_.client, client, 0);
    make_impatient(asking);
    send_udp(asking, server, names, question);
    answer_udp(answering);
    receive_udp(asking);
    ++answers_;
  }
}

}  // namespace xdpflowd::test
