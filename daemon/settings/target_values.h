// SPDX-License-Identifier: GPL-2.0-or-later
// What a single string of a [[target]] may be. Each error says what is wrong and, after a semicolon, what
// would be right.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "settings/targets.h"

namespace xdpflowd {

Result<ProbeKind> parse_probe_kind(std::string_view text);
Result<InitialState> parse_initial_state(std::string_view text);

/// The word that the file has for it.
std::string_view word_of(ProbeKind probe);
std::string_view word_of(InitialState state);

Result<std::string> parse_target_name(std::string_view text);

/// An IPv4 or IPv6 address that one machine elsewhere can have, as inet_ntop() writes it.
Result<std::string> parse_address(std::string_view text);

/// The same, or "".
Result<std::string> parse_source(std::string_view text);

/// Of an address that was parsed.
bool is_ipv6(std::string_view address);
bool is_ipv6_link_local(std::string_view address);

/// The name of one device, or "".
Result<std::string> parse_egress(std::string_view text);

Result<std::string> parse_description(std::string_view text);

/// Whether a refused connection is a sign of life.
Result<bool> parse_on_refused(std::string_view text);

/// Bytes, as text and as pairs of hexadecimal digits.
Result<std::string> parse_payload(std::string_view text);
Result<std::string> parse_payload_hex(std::string_view text);
Result<std::string> parse_expect(std::string_view text);
Result<std::string> parse_expect_hex(std::string_view text);

/// What runs, by its absolute path; and an argument of it.
Result<std::string> parse_program(std::string_view text);
Result<std::string> parse_argument(std::string_view text);

}  // namespace xdpflowd
