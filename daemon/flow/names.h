// SPDX-License-Identifier: GPL-2.0-or-later
// The words that users see for the enums of the contract: in the configuration, tables, JSON and labels.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "xdpflow/abi.h"

namespace xdpflowd {

inline constexpr auto table_names = std::to_array<std::string_view>({"half_open", "established"});
static_assert(table_names.size() == XF_TABLES);

inline constexpr auto state_names =
    std::to_array<std::string_view>({"NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT",
                                     "LAST_ACK", "TIME_WAIT", "CLOSE", "SYN_SENT2", "UNREPLIED", "REPLIED"});
static_assert(state_names.size() == XF_STATES);

inline constexpr auto timeout_names = std::to_array<std::string_view>(
    {"tcp_syn_sent", "tcp_syn_recv", "tcp_established", "tcp_fin_wait", "tcp_close_wait", "tcp_last_ack",
     "tcp_time_wait", "tcp_close", "udp", "udp_stream", "icmp", "generic"});
static_assert(timeout_names.size() == XF_TIMEOUTS);

inline constexpr auto reason_names =
    std::to_array<std::string_view>({"idle", "closed", "reset", "replaced", "flushed"});
static_assert(reason_names.size() == XF_REASONS);

inline constexpr auto verdict_names = std::to_array<std::string_view>({"tracked", "created", "untracked"});
static_assert(verdict_names.size() == XF_VERDICTS);

inline constexpr auto unparsed_names = std::to_array<std::string_view>(
    {"arp", "nd", "non_ip", "vlan_depth", "truncated", "bad_ip", "bad_l4", "extensions"});
static_assert(unparsed_names.size() == XF_UNPARSED);

inline constexpr auto untracked_names = std::to_array<std::string_view>(
    {"unparsed", "no_zone", "unknown_error", "reaping", "no_entry", "inactive", "probe"});
static_assert(untracked_names.size() == XF_UNTRACKED);

inline constexpr auto timer_failure_names =
    std::to_array<std::string_view>({"nomem", "busy", "perm", "other"});
static_assert(timer_failure_names.size() == XF_TIMER_FAILURES);

inline constexpr auto callback_names = std::to_array<std::string_view>({"rearmed", "ended"});
static_assert(callback_names.size() == XF_CALLBACKS);

inline constexpr auto lost_names = std::to_array<std::string_view>({"record", "event"});
static_assert(lost_names.size() == XF_LOST);

inline constexpr auto error_names = std::to_array<std::string_view>(
    {"insert_nomem", "insert_busy", "insert_other", "insert_vanished", "delete", "timer_callback",
     "timer_start", "ended_push", "orphan_push", "no_interface", "due_push"});
static_assert(error_names.size() == XF_ERRORS);

inline constexpr auto mode_names = std::to_array<std::string_view>({"detached", "native", "generic"});
static_assert(mode_names.size() == XF_MODE_GENERIC + 1);

inline constexpr auto probe_names = std::to_array<std::string_view>({"icmp", "tcp", "udp", "arp"});
static_assert(probe_names.size() == XF_PROBES);

inline constexpr auto health_names = std::to_array<std::string_view>({"unknown", "up", "down"});
static_assert(health_names.size() == XF_HEALTHS);

inline constexpr auto result_names =
    std::to_array<std::string_view>({"ok", "timeout", "unreachable", "late", "unresolved"});
static_assert(result_names.size() == XF_RESULTS);

using Names = std::span<const std::string_view>;

/// "unknown" beyond the table: an index read from a map is not trusted.
std::string_view name_in(Names names, unsigned index);

/// The index of a name, upper or lower case.
std::optional<unsigned> index_in(Names names, std::string_view name);

/// "a, b or c", for messages that say what would be right.
std::string choice_of(Names names);

/// "tcp", "udp", "icmp", "icmpv6", or the decimal number of any other protocol.
std::string protocol_name(uint8_t protocol);
std::optional<uint8_t> protocol_number(std::string_view name_or_number);

/// All of `text` as a decimal number without sign.
std::optional<uint64_t> decimal_number(std::string_view text);

}  // namespace xdpflowd
