// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/units.h"

#include <array>
#include <cstddef>
#include <utility>

namespace xdpflowd {
namespace {

struct Unit {
  int64_t seconds;
  char letter;
};

std::string with_one_decimal(uint64_t tenths) {
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

}  // namespace

std::string bytes_text(uint64_t bytes) {
  constexpr std::array units = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  constexpr uint64_t step = 1024;
  if (bytes < step) return std::to_string(bytes) + "B";
  size_t unit = 0;
  uint64_t scaled = bytes;  // in units of which `step` make units[unit]
  while (scaled >= step * step) {
    scaled /= step;
    ++unit;
  }
  return with_one_decimal(scaled * 10 / step) + units[unit];
}

std::string duration_text(int64_t nanoseconds) {
  constexpr int64_t second = 1'000'000'000;
  constexpr std::array<Unit, 4> units = {{{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}}};
  if (nanoseconds < 10 * second)
    return with_one_decimal(static_cast<uint64_t>(nanoseconds / (second / 10))) + "s";

  const int64_t seconds = nanoseconds / second;
  size_t first = 0;
  while (seconds < units[first].seconds) ++first;
  std::string text = std::to_string(seconds / units[first].seconds) + units[first].letter;
  const int64_t rest = seconds % units[first].seconds;
  if (first + 1 < units.size() && rest >= units[first + 1].seconds)
    text += std::to_string(rest / units[first + 1].seconds) + units[first + 1].letter;
  return text;
}

std::string latency_text(int64_t nanoseconds) {
  constexpr int64_t microsecond = 1000, millisecond = 1000 * microsecond, second = 1000 * millisecond;
  const auto [unit, letters] = nanoseconds >= second        ? std::pair(second, "s")
                               : nanoseconds >= millisecond ? std::pair(millisecond, "ms")
                                                            : std::pair(microsecond, "us");
  const int64_t hundredths = nanoseconds / (unit / 100);
  const std::string whole = std::to_string(hundredths / 100);
  if (whole.size() >= 3) return whole + letters;
  std::string decimals = std::to_string(100 + hundredths % 100).substr(1);
  decimals.resize(3 - whole.size());
  return whole + '.' + decimals + letters;
}

}  // namespace xdpflowd
