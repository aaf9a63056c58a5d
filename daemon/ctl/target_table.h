// SPDX-License-Identifier: GPL-2.0-or-later
// The answers to `xdpflowctl targets`.
#pragma once

#include <cstddef>
#include <ostream>
#include <span>
#include <string>

#include "flow/target_view.h"

namespace xdpflowd {

/// `width` of the terminal; 0: lines as long as it takes.
void write_target_table(std::ostream& out, std::span<const Target> targets, const Look& look, size_t width);

enum class Lines { one_per_target, one };

/// A JSON array.
void write_target_array(std::ostream& out, std::span<const Target> targets, const Look& look, Lines lines);

/// What an operator's word has made of the target: "gw-a: down (forced)", or a JSON document.
std::string forced_answer(const Target& target, const Look& look, bool json);

}  // namespace xdpflowd
