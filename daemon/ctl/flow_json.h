// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "flow/decode.h"

namespace xdpflowd {

/// An array, one flow per line. Stops when `out` fails.
void write_flow_array(std::ostream& out, std::span<const Flow> flows);

/// The answer of a command that is one number: "12", or {"flows":12} as JSON.
std::string number_answer(std::string_view name, uint64_t number, bool json);

}  // namespace xdpflowd
