// SPDX-License-Identifier: GPL-2.0-or-later
// A target in the words of the configuration, for messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "settings/targets.h"

namespace xdpflowd {

struct TargetWord {
  std::string_view key;  // "payload"
  std::string text;      // "payload_hex \"00ff\"", all of it: see cut_short()

  bool operator==(const TargetWord&) const = default;
};

/// One for every key but the name: the same keys in the same order for every target.
std::vector<TargetWord> words_of(const TargetSettings& target);

/// As much of a text as a line can take.
std::string cut_short(const std::string& text);

}  // namespace xdpflowd
