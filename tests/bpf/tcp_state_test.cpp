// SPDX-License-Identifier: GPL-2.0-or-later
// TCP flags and directions -> state, flags, timeout, table.
#include <gtest/gtest.h>

#include "conversation.h"
#include "support/tracker.h"

namespace xdpflowd::test {
namespace {

struct StateCase {
  std::string name;
  std::string packets;
  xf_state state;
  unsigned flags;  // enum xf_flow_flag, but for HIGH_STARTED and ORPHAN
};

std::ostream& operator<<(std::ostream& out, const StateCase& c) {
  return out << c.name;
}

constexpr unsigned syn = XF_FLOW_SYN, replied = XF_FLOW_REPLIED, synack = XF_FLOW_SYNACK;
constexpr unsigned fin = XF_FLOW_FIN_FORWARD, fin_back = XF_FLOW_FIN_REVERSE;
constexpr unsigned both_fins = fin | fin_back;
constexpr unsigned answered = syn | replied | synack;
constexpr unsigned open = answered | XF_FLOW_ESTABLISHED;
constexpr unsigned revived = open & ~syn;  // the handshake before the RST proves nothing

std::vector<StateCase> opening() {
  return {
      {"syn", ">S", XF_STATE_SYN_SENT, syn},
      {"syn_retransmitted", ">S >S >S", XF_STATE_SYN_SENT, syn},
      {"synack", ">S <S.", XF_STATE_SYN_RECV, answered},
      {"synack_retransmitted", ">S <S. <S.", XF_STATE_SYN_RECV, answered},
      {"syn_retransmitted_after_the_synack", ">S <S. >S", XF_STATE_SYN_RECV, answered},
      {"handshake", ">S <S. >.", XF_STATE_ESTABLISHED, open},
      {"handshake_by_data", ">S <S. >P.", XF_STATE_ESTABLISHED, open},
      {"handshake_with_a_lost_synack", ">S >S <S. >.", XF_STATE_ESTABLISHED, open},
      {"responder_alone_does_not_complete_it", ">S <S. <.", XF_STATE_SYN_RECV, answered},
      {"ack_of_the_responder_before_the_synack", ">S <.", XF_STATE_SYN_SENT, syn | replied},
      {"challenge_ack_then_handshake", ">S <. >S <S. >.", XF_STATE_ESTABLISHED, open},
      {"simultaneous_open", ">S <S", XF_STATE_SYN_SENT2, syn | replied},
      {"simultaneous_open_answered", ">S <S >S.", XF_STATE_SYN_RECV, syn | replied},
      {"simultaneous_open_answered_twice", ">S <S >S. <S.", XF_STATE_SYN_RECV, answered},
      {"simultaneous_open_completed", ">S <S >S. <S. >.", XF_STATE_ESTABLISHED, open},
      {"simultaneous_open_with_plain_acks", ">S <S >. <.", XF_STATE_ESTABLISHED, syn | replied},
      {"data_goes_on", handshake + ">P. <. <P. >.", XF_STATE_ESTABLISHED, open},
  };
}

std::vector<StateCase> closing() {
  return {
      {"fin", handshake + ">F.", XF_STATE_FIN_WAIT, open | fin},
      {"fin_of_the_responder", handshake + "<F.", XF_STATE_FIN_WAIT, open | fin_back},
      {"fin_retransmitted", handshake + ">F. >F.", XF_STATE_FIN_WAIT, open | fin},
      {"fin_with_data", handshake + ">FP.", XF_STATE_FIN_WAIT, open | fin},
      {"own_ack_after_fin", handshake + ">F. >.", XF_STATE_FIN_WAIT, open | fin},
      {"fin_acknowledged", handshake + ">F. <.", XF_STATE_CLOSE_WAIT, open | fin},
      {"fin_of_the_responder_acknowledged", handshake + "<F. >.", XF_STATE_CLOSE_WAIT, open | fin_back},
      {"fin_retransmitted_after_its_ack", handshake + ">F. <. >F.", XF_STATE_CLOSE_WAIT, open | fin},
      {"half_closed_goes_on", handshake + ">F. <. <P. >. <P.", XF_STATE_CLOSE_WAIT, open | fin},
      {"both_fins", handshake + ">F. <. <F.", XF_STATE_LAST_ACK, open | both_fins},
      {"both_fins_responder_first", handshake + "<F. >. >F.", XF_STATE_LAST_ACK, open | both_fins},
      {"second_fin_with_the_ack", handshake + ">F. <F.", XF_STATE_LAST_ACK, open | both_fins},
      {"second_fin_retransmitted", handshake + ">F. <F. <F.", XF_STATE_LAST_ACK, open | both_fins},
      {"closed", handshake + ">F. <. <F. >.", XF_STATE_TIME_WAIT, open | both_fins},
      {"closed_responder_first", handshake + "<F. >. >F. <.", XF_STATE_TIME_WAIT, open | both_fins},
      {"simultaneous_close", handshake + ">F. <F. >. <.", XF_STATE_TIME_WAIT, open | both_fins},
      {"fin_retransmitted_in_time_wait", handshake + ">F. <F. >. <F.", XF_STATE_TIME_WAIT, open | both_fins},
      {"fin_instead_of_the_handshake_ack", ">S <S. >F.", XF_STATE_FIN_WAIT, open | fin},
  };
}

std::vector<StateCase> resetting() {
  return {
      {"closed_port", ">S <R.", XF_STATE_CLOSE, syn | replied},
      {"rst_of_the_initiator_in_syn_sent", ">S >R", XF_STATE_CLOSE, syn},
      {"rst_in_syn_recv", ">S <S. >R", XF_STATE_CLOSE, answered},
      {"rst_in_simultaneous_open", ">S <S <R", XF_STATE_CLOSE, syn | replied},
      {"rst", handshake + ">R", XF_STATE_CLOSE, open},
      {"rst_of_the_responder", handshake + "<R.", XF_STATE_CLOSE, open},
      {"rst_in_fin_wait", handshake + ">F. <R", XF_STATE_CLOSE, open | fin},
      {"rst_in_close_wait", handshake + ">F. <. >R", XF_STATE_CLOSE, open | fin},
      {"rst_in_last_ack", handshake + ">F. <F. >R", XF_STATE_CLOSE, open | both_fins},
      {"rst_in_time_wait", handshake + ">F. <F. >. >R", XF_STATE_CLOSE, open | both_fins},
      {"rst_twice", handshake + ">R <R", XF_STATE_CLOSE, open},
      {"data_after_rst_revives", handshake + ">R <P.", XF_STATE_ESTABLISHED, revived},
      {"data_after_rst_in_fin_wait_revives", handshake + ">F. >R <P.", XF_STATE_FIN_WAIT, revived | fin},
      {"data_after_rst_in_last_ack_revives", handshake + ">F. <F. >R <P.", XF_STATE_LAST_ACK,
       revived | both_fins},
      {"ack_after_rst_does_not_revive", handshake + ">R <. >.", XF_STATE_CLOSE, open},
      {"fin_after_rst_does_not_revive", handshake + ">R <F.", XF_STATE_CLOSE, open},
  };
}

/// One end is seen, or the beginning is not.
std::vector<StateCase> partly_seen() {
  return {
      {"client_side_opens", ">S >.", XF_STATE_ESTABLISHED, syn},
      {"client_side_sends", ">S >. >P. >P.", XF_STATE_ESTABLISHED, syn},
      {"client_side_sends_fin", ">S >. >P. >F.", XF_STATE_FIN_WAIT, syn | fin},
      {"client_side_closes", ">S >. >P. >F. >.", XF_STATE_TIME_WAIT, syn | fin},
      {"client_side_is_reset", ">S >. >R", XF_STATE_CLOSE, syn},
      {"server_side_opens", "<S.", XF_STATE_SYN_RECV, 0},
      {"server_side_retransmits", "<S. <S.", XF_STATE_SYN_RECV, 0},
      {"server_side_sends", "<S. <. <P.", XF_STATE_ESTABLISHED, 0},
      {"server_side_closes", "<S. <P. <F. <.", XF_STATE_TIME_WAIT, fin},
      {"server_side_is_reset", "<S. <P. <R", XF_STATE_CLOSE, 0},
      {"client_turns_up_after_the_synack", "<S. >.", XF_STATE_ESTABLISHED, replied},
      {"mid_stream_by_data", ">P.", XF_STATE_ESTABLISHED, 0},
      {"mid_stream_by_ack", "<.", XF_STATE_ESTABLISHED, 0},
      {"mid_stream_of_both_ends", ">P. <. >P.", XF_STATE_ESTABLISHED, replied},
      {"mid_stream_by_fin", ">F.", XF_STATE_FIN_WAIT, fin},
      {"mid_stream_by_fin_of_both_ends", ">F. <F.", XF_STATE_LAST_ACK, replied | both_fins},
      {"mid_stream_by_rst", "<R", XF_STATE_CLOSE, 0},
      {"mid_stream_by_rst_then_data", "<R >P.", XF_STATE_ESTABLISHED, replied},
  };
}

/// In the order of enum xf_state, from SYN_SENT.
constexpr unsigned timeout_of_state[] = {
    XF_TIMEOUT_TCP_SYN_SENT,  XF_TIMEOUT_TCP_SYN_RECV,   XF_TIMEOUT_TCP_ESTABLISHED,
    XF_TIMEOUT_TCP_FIN_WAIT,  XF_TIMEOUT_TCP_CLOSE_WAIT, XF_TIMEOUT_TCP_LAST_ACK,
    XF_TIMEOUT_TCP_TIME_WAIT, XF_TIMEOUT_TCP_CLOSE,      XF_TIMEOUT_TCP_SYN_SENT,
};

class TcpState : public testing::TestWithParam<StateCase> {};

/// The client is the key's high end, so that both ends start flows here: it does in most, the server where it
/// is seen first.
TEST_P(TcpState, FollowsThePackets) {
  const Tracker tracker;
  const auto packets =
      conversation(GetParam().packets, tcp().from("203.0.113.9", 40000).to("198.51.100.1", 80));
  tracker.run(packets);
  const Entry entry = tracker.the_flow();
  EXPECT_EQ(entry.state(), GetParam().state);
  EXPECT_EQ(entry.flow.status.flags & ~(XF_FLOW_HIGH_STARTED | XF_FLOW_ORPHAN), GetParam().flags);
  EXPECT_EQ(entry.has(XF_FLOW_HIGH_STARTED), GetParam().packets[0] == '>');
  const unsigned row = entry.has(XF_FLOW_ESTABLISHED) ? XF_TIMEOUTS : 0;
  EXPECT_EQ(entry.flow.status.timeout, row + timeout_of_state[GetParam().state - XF_STATE_SYN_SENT]);
  EXPECT_EQ(tracker.live(XF_TABLE_ESTABLISHED), row ? 1u : 0u);
  EXPECT_EQ(entry.flow.forward.packets + entry.flow.reverse.packets, packets.size());
  EXPECT_EQ(tracker.zone_stats().created, 1u);
}

const auto case_name = [](const auto& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(Opening, TcpState, testing::ValuesIn(opening()), case_name);
INSTANTIATE_TEST_SUITE_P(Closing, TcpState, testing::ValuesIn(closing()), case_name);
INSTANTIATE_TEST_SUITE_P(Resetting, TcpState, testing::ValuesIn(resetting()), case_name);
INSTANTIATE_TEST_SUITE_P(PartlySeen, TcpState, testing::ValuesIn(partly_seen()), case_name);

}  // namespace
}  // namespace xdpflowd::test
