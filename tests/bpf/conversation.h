// SPDX-License-Identifier: GPL-2.0-or-later
// TCP conversations in tcpdump's words: ">S <S. >." is a handshake. '>' comes from the client, '<' from the
// server; then S, F, R, P (a segment with data) and '.' (ACK). The numbers fit.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "support/packet_builder.h"

namespace xdpflowd::test {

constexpr uint32_t client_first = 1000, server_first = 5000;  // sequence numbers of the SYNs
constexpr size_t segment_bytes = 100;

inline const std::string handshake = ">S <S. >. ";

/// `client` says who talks to whom.
inline Packet segment(const std::string& word, const Packet& client = tcp()) {
  const bool forward = word.at(0) == '>';
  const uint32_t own = forward ? client_first : server_first, other = forward ? server_first : client_first;
  Packet packet = forward ? client : client.reversed();
  packet.seq(own + 1);
  for (const char letter : word.substr(1)) {
    if (letter == 'S') packet.syn().seq(own);
    if (letter == 'F') packet.fin();
    if (letter == 'R') packet.rst();
    if (letter == 'P') packet.ack_number(other + 1).payload(segment_bytes);
    if (letter == '.') packet.ack_number(other + 1);
  }
  return packet;
}

inline std::vector<Packet> conversation(const std::string& words, const Packet& client = tcp()) {
  std::vector<Packet> packets;
  std::istringstream in(words);
  for (std::string word; in >> word;) packets.push_back(segment(word, client));
  return packets;
}

}  // namespace xdpflowd::test
