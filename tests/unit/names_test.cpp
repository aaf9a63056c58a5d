// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/names.h"

#include <gtest/gtest.h>

#include <utility>

namespace xdpflowd {
namespace {

template <size_t Count, class Enum>
void expect_names(const std::array<std::string_view, Count>& names,
                  const std::pair<Enum, std::string_view> (&expected)[Count]) {
  for (const auto& [value, name] : expected) {
    EXPECT_EQ(name_in(names, value), name);
    EXPECT_EQ(index_in(names, name), value);
  }
  EXPECT_EQ(name_in(names, Count), "unknown");
}

TEST(Names, EveryEnumeratorHasItsOwn) {
  expect_names<XF_TABLES, xf_table>(
      table_names, {{XF_TABLE_HALF_OPEN, "half_open"}, {XF_TABLE_ESTABLISHED, "established"}});
  expect_names<XF_STATES, xf_state>(state_names, {{XF_STATE_NONE, "NONE"},
                                                  {XF_STATE_SYN_SENT, "SYN_SENT"},
                                                  {XF_STATE_SYN_RECV, "SYN_RECV"},
                                                  {XF_STATE_ESTABLISHED, "ESTABLISHED"},
                                                  {XF_STATE_FIN_WAIT, "FIN_WAIT"},
                                                  {XF_STATE_CLOSE_WAIT, "CLOSE_WAIT"},
                                                  {XF_STATE_LAST_ACK, "LAST_ACK"},
                                                  {XF_STATE_TIME_WAIT, "TIME_WAIT"},
                                                  {XF_STATE_CLOSE, "CLOSE"},
                                                  {XF_STATE_SYN_SENT2, "SYN_SENT2"},
                                                  {XF_STATE_UNREPLIED, "UNREPLIED"},
                                                  {XF_STATE_REPLIED, "REPLIED"}});
  expect_names<XF_TIMEOUTS, xf_timeout>(timeout_names, {{XF_TIMEOUT_TCP_SYN_SENT, "tcp_syn_sent"},
                                                        {XF_TIMEOUT_TCP_SYN_RECV, "tcp_syn_recv"},
                                                        {XF_TIMEOUT_TCP_ESTABLISHED, "tcp_established"},
                                                        {XF_TIMEOUT_TCP_FIN_WAIT, "tcp_fin_wait"},
                                                        {XF_TIMEOUT_TCP_CLOSE_WAIT, "tcp_close_wait"},
                                                        {XF_TIMEOUT_TCP_LAST_ACK, "tcp_last_ack"},
                                                        {XF_TIMEOUT_TCP_TIME_WAIT, "tcp_time_wait"},
                                                        {XF_TIMEOUT_TCP_CLOSE, "tcp_close"},
                                                        {XF_TIMEOUT_UDP, "udp"},
                                                        {XF_TIMEOUT_UDP_STREAM, "udp_stream"},
                                                        {XF_TIMEOUT_ICMP, "icmp"},
                                                        {XF_TIMEOUT_GENERIC, "generic"}});
  expect_names<XF_REASONS, xf_reason>(reason_names, {{XF_REASON_IDLE, "idle"},
                                                     {XF_REASON_CLOSED, "closed"},
                                                     {XF_REASON_RESET, "reset"},
                                                     {XF_REASON_REPLACED, "replaced"},
                                                     {XF_REASON_FLUSHED, "flushed"}});
}

TEST(Names, EveryCounterHasItsOwn) {
  expect_names<XF_VERDICTS, xf_verdict>(verdict_names, {{XF_VERDICT_TRACKED, "tracked"},
                                                        {XF_VERDICT_CREATED, "created"},
                                                        {XF_VERDICT_UNTRACKED, "untracked"}});
  expect_names<XF_UNPARSED, xf_unparsed>(unparsed_names, {{XF_UNPARSED_ARP, "arp"},
                                                          {XF_UNPARSED_ND, "nd"},
                                                          {XF_UNPARSED_NON_IP, "non_ip"},
                                                          {XF_UNPARSED_VLAN_DEPTH, "vlan_depth"},
                                                          {XF_UNPARSED_TRUNCATED, "truncated"},
                                                          {XF_UNPARSED_BAD_IP, "bad_ip"},
                                                          {XF_UNPARSED_BAD_L4, "bad_l4"},
                                                          {XF_UNPARSED_EXTENSIONS, "extensions"}});
  expect_names<XF_UNTRACKED, xf_untracked>(untracked_names, {{XF_UNTRACKED_UNPARSED, "unparsed"},
                                                             {XF_UNTRACKED_NO_ZONE, "no_zone"},
                                                             {XF_UNTRACKED_UNKNOWN_ERROR, "unknown_error"},
                                                             {XF_UNTRACKED_REAPING, "reaping"},
                                                             {XF_UNTRACKED_NO_ENTRY, "no_entry"},
                                                             {XF_UNTRACKED_INACTIVE, "inactive"},
                                                             {XF_UNTRACKED_PROBE, "probe"}});
  expect_names<XF_TIMER_FAILURES, xf_timer_failure>(timer_failure_names, {{XF_TIMER_NOMEM, "nomem"},
                                                                          {XF_TIMER_BUSY, "busy"},
                                                                          {XF_TIMER_PERM, "perm"},
                                                                          {XF_TIMER_OTHER, "other"}});
  expect_names<XF_CALLBACKS, xf_callback>(callback_names,
                                          {{XF_CALLBACK_REARMED, "rearmed"}, {XF_CALLBACK_ENDED, "ended"}});
  expect_names<XF_LOST, xf_lost>(lost_names, {{XF_LOST_RECORD, "record"}, {XF_LOST_EVENT, "event"}});
  expect_names<XF_ERRORS, xf_error>(error_names, {{XF_ERROR_INSERT_NOMEM, "insert_nomem"},
                                                  {XF_ERROR_INSERT_BUSY, "insert_busy"},
                                                  {XF_ERROR_INSERT_OTHER, "insert_other"},
                                                  {XF_ERROR_INSERT_VANISHED, "insert_vanished"},
                                                  {XF_ERROR_DELETE, "delete"},
                                                  {XF_ERROR_TIMER_CALLBACK, "timer_callback"},
                                                  {XF_ERROR_TIMER_START, "timer_start"},
                                                  {XF_ERROR_ENDED_PUSH, "ended_push"},
                                                  {XF_ERROR_ORPHAN_PUSH, "orphan_push"},
                                                  {XF_ERROR_NO_INTERFACE, "no_interface"},
                                                  {XF_ERROR_DUE_PUSH, "due_push"}});
}

TEST(Names, AreFoundInAnyCase) {
  EXPECT_EQ(index_in(state_names, "time_wait"), XF_STATE_TIME_WAIT);
  EXPECT_EQ(index_in(state_names, "TIME"), std::nullopt);
  EXPECT_EQ(index_in(state_names, ""), std::nullopt);
}

TEST(Names, AChoiceReadsLikeASentence) {
  EXPECT_EQ(choice_of(table_names), "half_open or established");
  EXPECT_EQ(choice_of(verdict_names), "tracked, created or untracked");
}

TEST(Protocol, FourHaveNamesAndTheOthersNumbers) {
  const std::pair<uint8_t, std::string> names[] = {{6, "tcp"},     {17, "udp"}, {1, "icmp"},
                                                   {58, "icmpv6"}, {47, "47"},  {0, "0"}};
  for (const auto& [number, name] : names) {
    EXPECT_EQ(protocol_name(number), name);
    EXPECT_EQ(protocol_number(name), number);
  }
}

TEST(Protocol, AWordOrANumberThatIsNoneIsNone) {
  for (const char* text : {"tpc", "256", "-1", "6 ", ""})
    EXPECT_EQ(protocol_number(text), std::nullopt) << text;
}

}  // namespace
}  // namespace xdpflowd
