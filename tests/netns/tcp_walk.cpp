// SPDX-License-Identifier: GPL-2.0-or-later
#include "tcp_walk.h"

#include <algorithm>
#include <iterator>

namespace xdpflowd::test {
namespace {

constexpr uint16_t most_payload = 400;  // bytes
// Percent of the segments.
constexpr unsigned reordered = 20, lost_before_the_middle = 10, lost_behind_it = 10, repeated = 10;

bool is_beyond(uint32_t seq, uint32_t other) {
  return static_cast<int32_t>(seq - other) > 0;
}

}  // namespace

Segment TcpEnd::acknowledgment() const {
  return {.from_server = server_, .ack = true, .seq = next_, .ack_number = peer_next_};
}

Segment TcpEnd::send(Segment segment) {
  segment.from_server = server_;
  segment.seq = next_;
  segment.ack = peer_opened_;
  segment.ack_number = peer_next_;
  next_ += segment.length();
  unacknowledged_.push_back(segment);
  return segment;
}

Segment TcpEnd::reset() {
  dead_ = true;
  return {.from_server = server_, .ack = peer_opened_, .rst = true, .seq = next_, .ack_number = peer_next_};
}

bool TcpEnd::is_done() const {
  return dead_ || (closed_ && peer_closed_ && unacknowledged_.empty()) || (!opened_ && !peer_opened_);
}

std::vector<Segment> TcpEnd::receive_syn(const Segment& segment) {
  if (!peer_opened_) {
    peer_opened_ = true;
    peer_next_ = segment.seq + 1;
    if (segment.ack) take_acknowledgment(segment.ack_number);
    if (opened_ && !has_unacknowledged_syn()) return {acknowledgment()};
    if (!opened_) {
      opened_ = true;
      return {send({.syn = true})};
    }
  }
  if (!has_unacknowledged_syn()) return {acknowledgment()};
  Segment again = unacknowledged_.front();
  again.ack = true;
  again.ack_number = peer_next_;
  return {again};
}

void TcpEnd::take_acknowledgment(uint32_t number) {
  while (!unacknowledged_.empty() &&
         !is_beyond(unacknowledged_.front().seq + unacknowledged_.front().length(), number))
    unacknowledged_.pop_front();
}

std::vector<Segment> TcpEnd::receive(const Segment& segment) {
  if (dead_ || (!opened_ && !segment.syn)) {
    if (segment.rst) return {};
    if (segment.ack) return {{.from_server = server_, .rst = true, .seq = segment.ack_number}};
    return {{.from_server = server_, .ack = true, .rst = true, .ack_number = segment.seq + segment.length()}};
  }
  if (segment.rst) {
    dead_ = true;
    return {};
  }
  if (segment.syn) return receive_syn(segment);
  if (!peer_opened_) return {};
  if (segment.ack) take_acknowledgment(segment.ack_number);
  if (segment.length() == 0) return {};
  if (segment.seq == peer_next_) {
    peer_next_ += segment.length();
    peer_closed_ = peer_closed_ || segment.fin;
  }
  return {acknowledgment()};
}

std::optional<Segment> TcpEnd::act(std::mt19937& random, bool closing) {
  if (dead_) return std::nullopt;
  const unsigned dice = random() % 100;
  if (!opened_) {
    // That the server opens too is rare: simultaneous open.
    if (closing || (server_ && dice >= 2)) return std::nullopt;
    opened_ = true;
    return send({.syn = true});
  }
  if (!unacknowledged_.empty() && (closing || dice < 50)) {
    Segment again = unacknowledged_.front();
    again.ack = again.ack || peer_opened_;
    again.ack_number = peer_next_;
    return again;
  }
  if (!closing && dice >= 97) return reset();
  // As a keep-alive does: an end that is no more answers with a RST.
  if (closing && closed_ && !peer_closed_) return acknowledgment();
  if (!is_open() || closed_) return std::nullopt;
  if (closing || dice < 60) {
    closed_ = true;
    return send({.fin = true});
  }
  return send({.payload = static_cast<uint16_t>(1 + random() % most_payload)});
}

TcpWalk::TcpWalk(uint32_t seed) : random_(seed), client_(false, random_()), server_(true, random_()) {}

void TcpWalk::let_an_end_act(bool closing) {
  TcpEnd& end = chance(50) ? client_ : server_;
  if (const auto sent = end.act(random_, closing)) in_flight_.push_back(*sent);
}

std::optional<Segment> TcpWalk::step(bool closing) {
  if (in_flight_.empty() || chance(closing ? 20 : 40)) let_an_end_act(closing);
  if (in_flight_.empty()) return std::nullopt;
  const size_t index = chance(reordered) ? random_() % in_flight_.size() : 0;
  const Segment segment = in_flight_[index];
  if (closing || !chance(repeated)) in_flight_.erase(in_flight_.begin() + static_cast<ptrdiff_t>(index));
  if (!closing && chance(lost_before_the_middle)) return std::nullopt;
  if (!closing && chance(lost_behind_it)) return segment;
  std::ranges::move((segment.from_server ? client_ : server_).receive(segment),
                    std::back_inserter(in_flight_));
  return segment;
}

}  // namespace xdpflowd::test
