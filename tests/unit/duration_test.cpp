// SPDX-License-Identifier: GPL-2.0-or-later
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "settings/duration.h"
#include "settings/settings.h"

namespace xdpflowd {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

TEST(Duration, IsAWholeNumberAndAUnit) {
  const std::vector<std::pair<const char*, std::chrono::nanoseconds>> good{
      {"1us", 1us}, {"300ms", 300ms}, {"30s", 30s},    {"007s", 7s},
      {"5m", 5min}, {"36h", 36h},     {"5d", 5 * 24h}, {"3650d", duration_max},
  };
  for (const auto& [text, expected] : good) {
    auto duration = parse_duration(text);
    ASSERT_TRUE(duration) << duration.error().message;
    EXPECT_EQ(*duration, expected) << text;
  }
}

TEST(Duration, OthersAreRefusedWithTheReason) {
  const std::vector<std::pair<const char*, const char*>> bad{
      {"", "it is empty"},
      {" ", "begin with a number"},
      {"s", "begin with a number"},
      {"-5s", "it is negative"},
      {"+5s", "begin with a number"},
      {"0s", "it is zero"},
      {"5", "the unit is missing"},
      {"1.5s", "it has a fraction"},
      {"1,5s", "it has a fraction"},
      {"5 s", "unknown unit"},
      {" 5s", "begin with a number"},
      {"5s ", "unknown unit \"s \""},
      {"5S", "unknown unit"},
      {"5w", "unknown unit \"w\""},
      {"5ns", "unknown unit \"ns\""},
      {"1h30m", "unknown unit"},
      {"1e3s", "unknown unit"},
      {"0x10s", "unknown unit"},
      {"3651d", "is too long"},
      {"87601h", "is too long"},
      {"18446744073709551616s", "is too long"},
      {"9223372036854775807d", "is too long"},
  };
  for (const auto& [text, reason] : bad) {
    auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_THAT(duration.error().message, AllOf(HasSubstr(reason), HasSubstr("; write "))) << text;
  }
}

TEST(Duration, IsWrittenInTheLargestExactUnit) {
  EXPECT_EQ(format_duration(0s), "0s");
  EXPECT_EQ(format_duration(5ns), "5ns");
  EXPECT_EQ(format_duration(1500us), "1500us");
  EXPECT_EQ(format_duration(300ms), "300ms");
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(120s), "2m");
  EXPECT_EQ(format_duration(36h), "36h");
  EXPECT_EQ(format_duration(48h), "2d");
}

TEST(Duration, SurvivesWritingAndReading) {
  for (const std::chrono::nanoseconds duration : default_timeouts()) {
    auto again = parse_duration(format_duration(duration));
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, duration);
  }
}

}  // namespace
}  // namespace xdpflowd
