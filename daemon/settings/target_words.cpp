// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings/target_words.h"

#include <algorithm>

#include "settings/duration.h"
#include "settings/suggestion.h"
#include "settings/target_values.h"

namespace xdpflowd {
namespace {

std::string quoted(std::string_view text) {
  return " \"" + printable(text) + '"';
}

/// As text where that is plain ASCII, else in hexadecimal.
std::string bytes(const std::string& key, const std::string& value) {
  static constexpr std::string_view digits = "0123456789abcdef";
  if (std::ranges::all_of(value, [](char c) { return c >= 0x20 && c < 0x7f; })) return key + quoted(value);
  std::string hex;
  for (const unsigned char byte : value) hex += {digits[byte >> 4], digits[byte & 15]};
  return key + "_hex" + quoted(hex);
}

std::string list(const std::vector<std::string>& elements) {
  std::string text;
  for (const auto& element : elements) text += (text.empty() ? "" : ",") + quoted(element);
  return elements.empty() ? " []" : " [" + text.substr(1) + "]";
}

}  // namespace

std::vector<TargetWord> words_of(const TargetSettings& target) {
  const auto number = [](uint32_t value) { return ' ' + std::to_string(value); };
  const auto duration = [](std::chrono::nanoseconds value) { return ' ' + format_duration(value); };
  return {
      {"address", "address" + quoted(target.address)},
      {"probe", "probe" + quoted(word_of(target.probe))},
      {"port", "port" + number(target.port)},
      {"interval", "interval" + duration(target.interval)},
      {"timeout", "timeout" + duration(target.timeout)},
      {"down_interval", "down_interval" + duration(target.down_interval)},
      {"jitter", "jitter" + duration(target.jitter)},
      {"fall", "fall" + number(target.fall)},
      {"rise", "rise" + number(target.rise)},
      {"initial", "initial" + quoted(word_of(target.initial))},
      {"source", "source" + quoted(target.source)},
      {"interface", "interface" + quoted(target.interface)},
      {"description", "description" + quoted(target.description)},
      {"weight", "weight" + number(target.weight)},
      {"on_refused", "on_refused" + quoted(target.refused_is_up ? "up" : "down")},
      {"payload", bytes("payload", target.payload)},
      {"expect", bytes("expect", target.expect)},
      {"on_change", "on_change" + list(target.on_change)},
  };
}

std::string cut_short(const std::string& text) {
  constexpr size_t longest = 120;
  if (text.size() <= longest) return text;
  size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;  // inside of a UTF-8 character
  return text.substr(0, end) + "...";
}

}  // namespace xdpflowd
