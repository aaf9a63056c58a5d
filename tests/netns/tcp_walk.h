// SPDX-License-Identifier: GPL-2.0-or-later
// A TCP connection as a random walk: two ends that keep to RFC 9293 and otherwise do as they please, over a
// network that loses, repeats and reorders.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <vector>

namespace xdpflowd::test {

struct Segment {
  bool from_server = false;
  bool syn = false, ack = false, fin = false, rst = false;
  uint32_t seq = 0, ack_number = 0;
  uint16_t payload = 0;  // bytes

  /// What it takes of the sequence numbers.
  uint32_t length() const { return payload + (syn ? 1U : 0U) + (fin ? 1U : 0U); }
};

/// One end. What it sends is given back; the network is not its business.
class TcpEnd {
 public:
  TcpEnd(bool is_server, uint32_t initial_seq) : server_(is_server), next_(initial_seq) {}

  std::vector<Segment> receive(const Segment& segment);
  /// One of what it may do by itself now: open, send, send again, close, reset. Nothing if there is nothing
  /// to do. `closing`: nothing new but a FIN.
  std::optional<Segment> act(std::mt19937& random, bool closing);
  /// Its FIN is acknowledged and the other's has come, or there was a RST, or it never opened.
  bool is_done() const;

 private:
  bool is_open() const { return opened_ && peer_opened_ && !has_unacknowledged_syn(); }
  bool has_unacknowledged_syn() const { return !unacknowledged_.empty() && unacknowledged_.front().syn; }
  Segment send(Segment segment);
  Segment acknowledgment() const;
  Segment reset();
  std::vector<Segment> receive_syn(const Segment& segment);
  void take_acknowledgment(uint32_t number);

  bool server_;
  bool opened_ = false, peer_opened_ = false, closed_ = false, peer_closed_ = false, dead_ = false;
  uint32_t next_;
  uint32_t peer_next_ = 0;
  std::deque<Segment> unacknowledged_;
};

class TcpWalk {
 public:
  explicit TcpWalk(uint32_t seed);

  /// What passes in the middle in this step, if anything does. `closing`: both ends come to their end, and
  /// nothing is lost any more.
  std::optional<Segment> step(bool closing);
  bool is_done() const { return client_.is_done() && server_.is_done() && in_flight_.empty(); }

 private:
  bool chance(unsigned percent) { return random_() % 100 < percent; }
  void let_an_end_act(bool closing);

  std::mt19937 random_;
  TcpEnd client_, server_;
  std::vector<Segment> in_flight_;
};

}  // namespace xdpflowd::test
