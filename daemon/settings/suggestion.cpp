// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings/suggestion.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace xdpflowd {
namespace {

constexpr size_t quoted_max = 80;    // bytes
constexpr size_t listed_max = 24;    // words
constexpr size_t compared_max = 64;  // bytes: no key is longer, and the comparison is quadratic

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool continues_utf8(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

/// Bytes, at the beginning of a text, of a character that a terminal obeys or that turns the order of others
/// around: U+0080 to U+009F, and what Unicode has for writing from right to left. 0: it is none.
size_t hidden_control(std::string_view text) {
  if (text.size() >= 2 && text[0] == '\xc2' && continues_utf8(text[1]) && text[1] <= '\x9f') return 2;
  static constexpr std::array<std::string_view, 12> directions{"\u061c", "\u200e", "\u200f", "\u202a",
                                                               "\u202b", "\u202c", "\u202d", "\u202e",
                                                               "\u2066", "\u2067", "\u2068", "\u2069"};
  const auto begins = [&](std::string_view mark) { return text.starts_with(mark); };
  const auto* found = std::ranges::find_if(directions, begins);
  return found == directions.end() ? 0 : found->size();
}

/// Levenshtein's: insertions, deletions and replacements.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, is_control);
}

std::string printable(std::string_view text) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  while (!text.empty()) {
    const size_t hidden = std::max<size_t>(hidden_control(text), is_control(text.front()) ? 1 : 0);
    for (const char c : text.substr(0, hidden)) {
      const auto byte = static_cast<unsigned char>(c);
      result += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    }
    if (hidden == 0) result += text.front();
    text.remove_prefix(std::max<size_t>(hidden, 1));
  }
  return result;
}

std::string in_quotes(std::string_view text) {
  size_t end = std::min(text.size(), quoted_max);
  while (end < text.size() && continues_utf8(text[end])) ++end;
  return '"' + printable(text.substr(0, end)) + (end < text.size() ? "...\"" : "\"");
}

std::string suggestion(std::string_view word, const std::vector<std::string_view>& known) {
  // A third of the word may be wrong: enough for a slip, too little to guess at another word.
  size_t allowed = std::max<size_t>(1, word.size() / 3) + 1;
  std::string_view nearest;
  for (const std::string_view candidate : known) {
    if (word.size() > compared_max) break;
    const size_t distance = edit_distance(word, candidate);
    if (distance < allowed) {
      allowed = distance;
      nearest = candidate;
    }
  }
  if (!nearest.empty()) return "did you mean " + in_quotes(nearest) + "?";

  std::string list;
  for (size_t i = 0; i < std::min(known.size(), listed_max); ++i) {
    list += (i == 0 ? "" : ", ") + std::string(known[i]);
  }
  return "known here: " + list + (known.size() > listed_max ? ", ..." : "");
}

}  // namespace xdpflowd
