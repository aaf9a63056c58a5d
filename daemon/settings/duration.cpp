// SPDX-License-Identifier: GPL-2.0-or-later
#include "settings/duration.h"

#include <array>
#include <charconv>

#include "settings/suggestion.h"

namespace xdpflowd {
namespace {

struct Unit {
  std::string_view name;
  int64_t nanoseconds;
};

constexpr std::array<Unit, 6> units{{
    {"d", 86'400'000'000'000},
    {"h", 3'600'000'000'000},
    {"m", 60'000'000'000},
    {"s", 1'000'000'000},
    {"ms", 1'000'000},
    {"us", 1'000},
}};

Error not_a_duration(std::string_view text, const std::string& why) {
  return usage_error(in_quotes(text) + " is not a duration: " + why +
                     "; write a whole number and a unit (us ms s m h d), such as \"30s\" or \"5d\"");
}

Error too_long(std::string_view text, std::chrono::nanoseconds most) {
  return usage_error(in_quotes(text) + " is too long; write at most " + in_quotes(format_duration(most)));
}

const Unit* find_unit(std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

Result<std::chrono::nanoseconds> parse_any(std::string_view text) {
  if (text.empty()) return not_a_duration(text, "it is empty");
  if (text.front() == '-') return not_a_duration(text, "it is negative");
  uint64_t count = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc::invalid_argument) return not_a_duration(text, "it does not begin with a number");

  const std::string_view name(rest, static_cast<size_t>(text.data() + text.size() - rest));
  if (name.empty()) return not_a_duration(text, "the unit is missing");
  if (name.front() == '.' || name.front() == ',') return not_a_duration(text, "it has a fraction");
  const Unit* unit = find_unit(name);
  if (unit == nullptr) return not_a_duration(text, "unknown unit " + in_quotes(name));

  const auto most = static_cast<uint64_t>(duration_max.count() / unit->nanoseconds);
  if (error == std::errc::result_out_of_range || count > most) return too_long(text, duration_max);
  return std::chrono::nanoseconds(static_cast<int64_t>(count) * unit->nanoseconds);
}

}  // namespace

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  return parse_duration_within(text, {.least = std::chrono::nanoseconds(1), .most = duration_max});
}

Result<std::chrono::nanoseconds> parse_duration_within(std::string_view text, const DurationRange& range) {
  auto duration = parse_any(text);
  if (!duration) return duration;
  if (*duration > range.most) return too_long(text, range.most);
  if (*duration >= range.least) return duration;
  if (duration->count() == 0) return not_a_duration(text, "it is zero");
  return usage_error(in_quotes(text) + " is too short; write at least " +
                     in_quotes(format_duration(range.least)));
}

std::string format_duration(std::chrono::nanoseconds duration) {
  const int64_t count = duration.count();
  if (count == 0) return "0s";
  for (const Unit& unit : units) {
    if (count % unit.nanoseconds == 0)
      return std::to_string(count / unit.nanoseconds) + std::string(unit.name);
  }
  return std::to_string(count) + "ns";
}

}  // namespace xdpflowd
