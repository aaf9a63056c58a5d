// SPDX-License-Identifier: GPL-2.0-or-later
#include "sessions.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <stdexcept>
#include <string>

namespace xdpflowd::bench {
namespace {

using test::Lab;

constexpr uint16_t newcomers_port = 9001;
constexpr size_t said_bytes = 64, much_bytes = 100'000;
/// In which all sessions talk once; between two newcomers.
constexpr auto time_of_talk = std::chrono::milliseconds(800),
               pause_of_newcomers = std::chrono::milliseconds(50);

uint16_t local_port(const UniqueFd& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size))
    throw std::runtime_error("a connection without a port");
  return ntohs(address.sin_port);
}

}  // namespace

Sessions::Sessions(const Lab& lab, size_t count) : pairs_(test::open_tcp(lab, Lab::server4, port, count)) {
  for (const auto& pair : pairs_) clients_.push_back(local_port(pair.client));
}

void Sessions::say_much() {
  for (const auto& pair : pairs_) pair.send_up(much_bytes);
}

void Sessions::talk() {
  for (size_t number = 0; number < pairs_.size(); number++) {
    talk(number);
    std::this_thread::sleep_for(time_of_talk / static_cast<double>(pairs_.size()));
  }
}

void Sessions::talk(size_t number) {
  if (broken_.contains(number)) return;
  try {
    test::send_all(pairs_[number].client, std::string(said_bytes, 'x'));
    if (test::receive(pairs_[number].server, said_bytes).size() == said_bytes) return;
  } catch (const std::runtime_error&) {  // not even within the ten seconds that sockets.h waits
  }
  broken_.insert(number);
}

Newcomers::Newcomers(const Lab& lab)
    : listener_(test::listen_tcp(lab.server, Lab::server4, newcomers_port)), worker_([&] { open(lab); }) {}

Newcomers::~Newcomers() {
  stop_ = true;
  worker_.join();
}

void Newcomers::open(const Lab& lab) {
  while (!stop_) {
    if (test::try_connect(lab.client, Lab::server4, newcomers_port) != 0) failed_++;
    tried_++;
    std::this_thread::sleep_for(pause_of_newcomers);
  }
}

}  // namespace xdpflowd::bench
