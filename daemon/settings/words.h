// SPDX-License-Identifier: GPL-2.0-or-later
// Values that the configuration writes as one of a few words.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "settings/suggestion.h"

namespace xdpflowd {

template <class T, size_t count>
using Words = std::array<std::pair<std::string_view, T>, count>;

template <class T, size_t count>
std::string_view word_for(T value, const Words<T, count>& words) {
  return std::ranges::find(words, value, &std::pair<std::string_view, T>::second)->first;
}

/// `kind` is what the word should have been: "a log level".
template <class T, size_t count>
Result<T> parse_word(std::string_view text, const char* kind, const Words<T, count>& words) {
  std::string list;
  for (const auto& [word, value] : words) {
    if (word == text) return value;
    list += (list.empty() ? "" : ", ") + std::string(word);
  }
  return usage_error(in_quotes(text) + " is not " + kind + "; write one of " + list);
}

}  // namespace xdpflowd
